"""The fuzzer itself: it finds what is there, says how to see it again, and finds nothing else."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from tests.fuzz import functions, hooks, logins, rights
from tests.fuzz.damaged_unit import DamagedUnit
from tests.fuzz.runner import Run, Target, Violation

from access import desired
from actions import plan_mappings
from cluster import sync


def planted(sample: dict[str, str]) -> None:
    text = sample.get("text", "")
    if "!" in text:
        raise Violation("an exclamation mark")
    if text.isupper():
        raise KeyError(text)


def made(rng: Random) -> dict[str, str]:
    return {"other": "o" * 50, "text": "".join(rng.choices("abcDEF!", k=rng.randint(1, 9)))}


def test_given_faults_when_run_then_each_is_found_once_and_made_small():
    run = Run(Target("planted", made, planted), seed=1)
    for _ in range(500):
        run.step()

    assert {name: len(f.sample["text"]) for name, f in run.findings.items()} == {
        "an exclamation mark": 1,
        "KeyError in tests/project/test_fuzz.py:planted": 1,
    }
    assert all(finding.count > 1 for finding in run.findings.values())
    for finding in run.findings.values():
        with pytest.raises((Violation, KeyError)):
            planted(run.sample(finding.number))


@pytest.mark.parametrize(
    "target",
    [*functions.TARGETS, *logins.TARGETS, *rights.TARGETS],
    ids=lambda target: target.name,
)
def test_given_a_seed_when_run_again_then_the_inputs_are_the_same_and_most_are_damaged(
    target: Target,
):
    def inputs(seed: int) -> list[Any]:
        return [repr(Run(target, seed).sample(number)) for number in range(1, 30)]

    assert inputs(1) == inputs(1)
    assert inputs(1) != inputs(2)
    assert len(set(inputs(1))) > 15


@pytest.mark.parametrize("damaged", [hooks.legacy, hooks.modern, hooks.implicit])
def test_given_no_damage_when_a_hook_runs_then_nothing_is_found(damaged: Any):
    damaged().examine(lambda _: None)


def test_given_damage_when_an_input_is_over_then_the_next_one_meets_none_of_it():
    here = hooks.legacy()
    before = seen(here)
    here.examine(lambda damaged: damaged.files.admin.write_text("x"), "remove")

    assert seen(here) == before


def seen(damaged: DamagedUnit) -> Any:
    files = {path: path.read_bytes() for path in damaged._paths() if path.exists()}
    return damaged.model.bags(), damaged.api.objects, files, damaged.model.units[0].status


# Random steps, and a model of who has access after each.

(RIGHTS,) = rights.TARGETS


def take(seed: int, sequences: int) -> None:
    for number in range(1, sequences + 1):
        RIGHTS.check(Run(RIGHTS, seed).sample(number))


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
