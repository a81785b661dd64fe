"""What happens in a life, as values: they are drawn, taken, printed as a story, and kept."""

from __future__ import annotations

import dataclasses
from typing import Any

# What becomes of a request: refused, lost before the server acts, or done with its answer lost.
REFUSED = ("denied", "conflict", "throttled", "failed", "unavailable")
LOST = ("late", "reset")
ACTED = ("acted, late", "acted, reset", "acted, failed")
KILLS = ("killed before", "killed after")
# A hook that ended well, of which Juju keeps nothing, and runs it again.
NOT_COMMITTED = "not committed"
# These fail every time with the object that they meet first, until faults stop.
LASTING = ("denied", "failed", "late", "acted, late")


@dataclasses.dataclass(frozen=True)
class Fault:
    """What goes wrong with the request, or the hook tool, number ``at`` of its kind.

    ``of`` is ``write``, ``any`` or ``tool``; ``lasts`` is for ever on that object.
    """

    kind: str
    at: int = 1
    of: str = "write"
    lasts: bool = False


@dataclasses.dataclass(frozen=True)
class Between:
    """What others do right before the request number ``at`` of its kind."""

    act: Step
    at: int = 1
    of: str = "any"


@dataclasses.dataclass(frozen=True)
class Step:
    """One step: who acts and how, and what goes wrong meanwhile."""

    do: str
    what: dict[str, Any] = dataclasses.field(default_factory=dict)
    meanwhile: tuple[Fault | Between, ...] = ()


@dataclasses.dataclass(frozen=True)
class Begin:
    """How a life begins."""

    units: int = 1
    endpoint: str = "control-plane"
    provider: str = "easyrsa"
    kubernetes: str = "v1.37.2"
    settled: bool = True


@dataclasses.dataclass(frozen=True)
class Story:
    """A whole life."""

    begin: Begin
    steps: tuple[Step, ...]
