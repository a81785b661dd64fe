"""What happens to logins, logs and the record, as a random sequence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random

PRINCIPALS = 4
# What goes wrong in a hook.
FAULTS = (
    "the record is not found",
    "the record fails",
    "the record is not written",
    "a log fails",
)


@dataclasses.dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        number: Which principal or pod; of a list, for how many days nobody is there.
        hours: How much time passes, or how much of a log is left.
        fault: What goes wrong in the hook; or empty.
        nth: Which of the requests of that kind fails, or which pod's log.
    """

    do: str
    number: int = 0
    hours: float = 0.0
    fault: str = ""
    nth: int = 1


def make(rng: Random) -> list[Step]:
    """Return a sequence."""
    kinds = rng.choices([*_MAKE], [weight for weight, _ in _MAKE.values()], k=rng.randint(3, 40))
    return [_MAKE[kind][1](rng) for kind in kinds]


def _hook(rng: Random) -> Step:
    fault = rng.choice(FAULTS) if rng.random() < 0.3 else ""
    return Step("hook", fault=fault, nth=rng.randint(1, 2))


_MAKE: dict[str, tuple[int, Callable[[Random], Step]]] = {
    "hook": (10, _hook),
    "log in": (8, lambda rng: Step("log in", rng.randrange(100))),
    "time": (10, lambda rng: Step("time", hours=rng.choice((0.4, 1.1, 5.0, 23.0, 24.0, 60.0)))),
    "rotate": (2, lambda rng: Step("rotate", rng.randrange(100), hours=rng.choice((0, 0.5, 9)))),
    "replace": (2, lambda rng: Step("replace", rng.randrange(100))),
    "add": (1, lambda _: Step("add")),
    "remove": (1, lambda rng: Step("remove", rng.randrange(100))),
    "delete": (1, lambda _: Step("delete")),
    "leader": (1, lambda _: Step("leader")),
    "list": (2, lambda rng: Step("list", rng.randint(1, 3))),
}
