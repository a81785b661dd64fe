"""Make login tokens. Each is new, so that no API server answers from its cache."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from tests.integration.helpers import bad_tokens

# Tokens of the same second differ in their validity only. The authenticator accepts any up to this
# many seconds, and lets every token hold for a quarter of an hour.
_LONGEST = 900


def tokens(user: str, cluster_id: str) -> Iterator[str]:
    """Yield tokens of a user's keys."""
    who = bad_tokens.credentials(user)
    for number in itertools.count():
        yield bad_tokens.signed(who, cluster_id, expires=60 + number % (_LONGEST - 60))
