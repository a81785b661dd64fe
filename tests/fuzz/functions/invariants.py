"""What every text that the charm shows is held to."""

from __future__ import annotations

from tests.fuzz import samples
from tests.fuzz.runner import Violation


def line(text: str, limit: int = 300) -> None:
    """Check that Juju can show ``text``."""
    if len(text) > limit or not text.isprintable():
        raise Violation("a text that Juju cannot show", repr(text[:400]))


def secretless(text: str) -> None:
    """Check that no secret is in ``text``."""
    if found := samples.leaked(text):
        raise Violation("a secret is told", f"{found} in {text[:400]!r}")
