"""A short run of `tests.fuzz.rights`: random steps, and a model of who has access after each."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fuzz import rights
from tests.fuzz.runner import Run, Violation

from access import desired
from actions import plan_mappings
from cluster import sync

(TARGET,) = rights.TARGETS


def take(seed: int, sequences: int) -> None:
    for number in range(1, sequences + 1):
        TARGET.check(Run(TARGET, seed).sample(number))


@pytest.mark.parametrize("seed", range(1, 6))
def test_given_random_steps_when_they_are_taken_then_all_have_what_the_model_says(seed: int):
    take(seed, 1)


@pytest.mark.parametrize(
    ("seed", "module", "function", "planted"),
    [
        (1, sync, "_unbind", lambda *_: None),
        (2, sync, "_set_status", lambda *_: None),
        (1, desired, "_kept", lambda _, found: list(found.bindings)),
        (3, plan_mappings, "_counts", lambda _: dict.fromkeys(plan_mappings.CHANGES, "0")),
    ],
    ids=["a binding stays", "no status", "all bindings stay", "a plan is wrong"],
)
def test_given_a_fault_in_the_charm_when_random_steps_are_taken_then_the_model_finds_it(
    monkeypatch: pytest.MonkeyPatch, seed: int, module: Any, function: str, planted: Any
):
    monkeypatch.setattr(module, function, planted)

    with pytest.raises(Violation):
        take(seed, 40)
