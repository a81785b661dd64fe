"""What is fetched from the network, once: where that cannot be, one line says what is missing."""

from __future__ import annotations

import os
import re

_NO_ANSWER = re.compile(
    "temporary failure|no such host|unreachable|i/o timeout"
    "|connection ?(error|refused)|connect ?timeout",
    re.IGNORECASE,
)


class NotFetched(Exception):
    """Something is not in the cache and cannot be fetched; the message says what, in one line."""


def check_outside_lab(what: str, command: str) -> None:
    """Raise NotFetched in a lab, which has no network: `command` fetches `what` outside."""
    if os.environ.get("TESTBED_STATE"):
        raise NotFetched(f"a lab has no network, and {what} missing; outside it, run: {command}")


def check_answered(what: str, output: str) -> None:
    """Raise NotFetched if fetching `what` failed because nobody answered, by what it printed."""
    if _NO_ANSWER.search(output):
        raise NotFetched(f"no network, and the first run needs it to fetch {what}")
