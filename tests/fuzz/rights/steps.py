"""The steps of a sequence. They are values, so that a sequence can be printed and shortened."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import Any

ACCOUNT = "arn:aws:iam::111122223333"
ARNS = tuple(f"{ACCOUNT}:role/{name}" for name in ("Dev", "Ops", "Qa", "Sre"))
NAMES = ("dev", "ops", "qa")
GRANTS = ("", "", "g1", "dev")
CLUSTER_ROLES = ("view", "edit", "admin")
ROLES = ("reader",)
NAMESPACES = ("default", "dev", "test")
HOURS = (1, 5, 48)
# An option that cannot be read, and one with an entry that might be any.
WRONG = ("[", "- arn: nobody\n")


@dataclasses.dataclass(frozen=True)
class Fault:
    """What goes wrong with one request, the nth, or the nth that writes: before the server does
    what is asked, or after it."""

    kind: str
    nth: int
    writes: bool = True


@dataclasses.dataclass(frozen=True)
class Step:
    """One step: its kind, what it needs, and what goes wrong in it."""

    do: str
    what: dict[str, Any] = dataclasses.field(default_factory=dict)
    fault: Fault | None = None


FAULTS = (
    *("killed before", "killed after", "late before", "late after"),
    *("denied", "conflict", "throttled", "error"),
)
_DO = {
    "declare": 7,
    "hand on mapping": 4,
    "hand on binding": 4,
    "grant": 4,
    "revoke": 2,
    "time": 2,
    "role": 1,
    "namespace": 1,
    "hook": 2,
    "settle": 2,
}
ON_MAPPING = (
    *("delete", "username", "no groups", "another group", "no label", "label grant"),
    *("label option", "end", "bad end", "no end", "no mark", "no status", "finalizer", "squat"),
    *("squat", "create", "create"),
)
ON_BINDING = (
    *("delete", "no subjects", "another subject", "another group", "role", "no label"),
    *("no mark", "another mark", "owner", "finalizer", "forge", "create"),
)


def make(rng: Random) -> list[Step]:
    """Return a sequence of steps, which begins with a declaration."""
    kinds = rng.choices([*_DO], [*_DO.values()], k=rng.randint(2, 12))
    return [_step(rng, kind) for kind in ("declare", *kinds)]


def _step(rng: Random, kind: str) -> Step:
    what = {
        "declare": _declare,
        "hand on mapping": _by_hand(ON_MAPPING),
        "hand on binding": _by_hand(ON_BINDING),
        "grant": _grant,
        "revoke": _revoke,
        "time": lambda rng: {"hours": rng.choice((1, 4, 50))},
        "role": lambda rng: {"name": rng.choice((*CLUSTER_ROLES, "default/reader"))},
        "namespace": lambda rng: {"name": rng.choice(NAMESPACES[1:])},
    }.get(kind, lambda _: {})(rng)
    is_faulty = kind in ("declare", "grant", "revoke", "hook") and rng.random() < 0.4
    return Step(kind, what, _fault(rng) if is_faulty else None)


def _fault(rng: Random) -> Fault:
    if rng.random() < 0.8:
        return Fault(rng.choice(FAULTS), rng.randint(1, 6))
    return Fault(rng.choice(FAULTS), rng.randint(1, 30), writes=False)


def _declare(rng: Random) -> dict[str, Any]:
    if rng.random() < 0.06:
        return {"text": rng.choice(WRONG)}
    names = rng.sample(NAMES, rng.choice((0, 1, 1, 2, 2, 3)))
    arns = rng.sample(ARNS, len(names))
    entries = [_entry(rng, name, arn) for name, arn in zip(names, arns, strict=True)]
    if entries and rng.random() < 0.1:
        # It is left out, and whoever has access by it keeps that.
        entries[0]["arn"] = "nobody"
    return {"entries": entries, "plan": rng.random() < 0.6}


def _entry(rng: Random, name: str, arn: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "arn": arn, "username": rng.choice((name, "someone"))}
    if rng.random() < 0.3:
        entry["groups"] = ["devs"]
    if rng.random() < 0.75:
        chosen = rng.sample((*CLUSTER_ROLES, *ROLES), rng.choice((1, 1, 2)))
        entry["access"] = [_access(rng, role) for role in chosen]
    if rng.random() < 0.2:
        entry["hours"] = rng.choice(HOURS)
    return entry


def _access(rng: Random, role: str) -> dict[str, Any]:
    listed = rng.sample(NAMESPACES, rng.choice((1, 1, 2)))
    if role in ROLES:
        return {"role": role, "kind": "Role", "namespaces": listed}
    return {"role": role} if rng.random() < 0.4 else {"role": role, "namespaces": listed}


def _grant(rng: Random) -> dict[str, Any]:
    what: dict[str, Any] = {"arn": rng.choice(ARNS), "username": "granted"}
    if name := rng.choice(GRANTS):
        what["name"] = name
    if rng.random() < 0.7:
        what["role"] = rng.choice(CLUSTER_ROLES)
        if rng.random() < 0.6:
            listed = rng.sample(NAMESPACES, rng.choice((1, 2)))
            what["namespaces"] = ",".join(listed)
    if rng.random() < 0.4:
        what["for"] = f"{rng.choice(HOURS)}h"
    return what


def _revoke(rng: Random) -> dict[str, Any]:
    if rng.random() < 0.7:
        return {"arn": rng.choice(ARNS)}
    return {"name": rng.choice((*NAMES, "g1", "mine"))}


def _by_hand(kinds: tuple[str, ...]) -> Any:
    def hand(rng: Random) -> dict[str, Any]:
        return {
            "kind": rng.choice(kinds),
            "number": rng.randrange(4),
            "name": rng.choice((*NAMES, "mine")),
            "arn": rng.choice(ARNS),
            "label": rng.choice(("", "", "grant", "option")),
        }

    return hand
