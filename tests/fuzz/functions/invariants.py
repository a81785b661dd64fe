"""What every text that the charm shows is held to."""

from __future__ import annotations

from collections.abc import Iterable

from tests.fuzz import samples
from tests.fuzz.runner import Violation


def line(text: str, limit: int = 300) -> None:
    """Check that Juju can show ``text``."""
    if len(text) > limit or not text.isprintable():
        raise Violation("a text that Juju cannot show", repr(text[:400]))


def secretless(text: str, secrets: Iterable[str] = samples.SECRETS) -> None:
    """Check that no secret is in ``text``."""
    if found := samples.leaked(text, secrets):
        at = text.index(found)
        raise Violation("a secret is told", f"{found} in {text[max(0, at - 200) : at + 50]!r}")
