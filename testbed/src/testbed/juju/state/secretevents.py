"""What a unit is to be told about secrets. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SecretEvent:
    """One hook about a secret: `kind` is the hook's name.

    An event that recurs has a higher `times`.
    """

    kind: str
    secret: str
    label: str
    revision: int = 0
    times: int = 0
