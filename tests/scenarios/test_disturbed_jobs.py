# SPDX-License-Identifier: Apache-2.0

"""What a unit does while a request fails, an answer is lost, or others act: each promise holds.

Every request of these jobs that writes is tried, which `make lives` leaves to chance.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from tests.fakes.kubernetes.paths import SERVICE
from tests.lives import play
from tests.lives.process import InTurn
from tests.lives.steps import Begin, Between, Fault, Step, Story

ONE, TWO = Begin(), Begin(units=2)
LEGACY = Begin(units=2, endpoint="aws-iam", kubernetes="v1.28.5")
REST = Step("rest")
LOST = ("acted, late", "acted, reset")
ALICE = {"who": "alice", "role": "edit"}
BOB = {"who": "bob"}
FOR = {"for": "45s"}


def declare(*rows: dict[str, Any]) -> Step:
    return Step("declare", {"rows": list(rows)})


def grant(**what: Any) -> Step:
    return Step("grant", {"who": "alice", **what})


HOOK = Step("hook")
FIRST = (declare(ALICE, BOB), HOOK)
LATER = Step("time", {"seconds": 120, "bell": "on time"})
AUTHORITY = (Step("provider", {"kind": "another authority"}), Step("answers"))
DELETED = Step("person deletes object", {"path": SERVICE})
# What goes before, what is disturbed, and how many requests of it write.
JOBS: dict[str, tuple[Sequence[Step], Step, int]] = {
    "declare": ((declare(ALICE, BOB),), HOOK, 5),
    "change": ((*FIRST, declare({**ALICE, "group": "devs", "role": "view"})), HOOK, 4),
    "another ARN": ((*FIRST, declare({**ALICE, "who": "carol"}, BOB)), HOOK, 5),
    "grant": ((), grant(role="edit", groups="devs", **FOR), 3),
    "grant anew": ((grant(role="edit", **FOR),), grant(role="view", **FOR), 3),
    "revoke": ((grant(role="edit"),), Step("revoke", {"who": "alice"}), 2),
    "end": ((grant(role="edit", **FOR), HOOK), LATER, 2),
    "end of many": ((Step("crowd", {"number": 3, "ends": 45, "kept": False}), HOOK), LATER, 3),
    "keep a Service that is deleted": ((DELETED,), HOOK, 3),
    "scale": ((Step("configure", {"replicas": 3}),), HOOK, 1),
    "another authority": (AUTHORITY, HOOK, 2),
}
# What goes before, what others disturb, and what they do.
MEANWHILE: dict[str, tuple[Sequence[Step], Step, Step]] = {
    "grant a role": ((grant(), HOOK), HOOK, grant(role="view", unit=1)),
    "extend": (
        (grant(role="view", **FOR), HOOK),
        LATER,
        Step("person extends", {"number": 0, "seconds": 7200}),
    ),
}


@pytest.fixture(autouse=True)
def _one_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrent.futures, "ThreadPoolExecutor", InTurn)


def check(begin: Begin, *steps: Step) -> None:
    broken, notes = play.play(Story(begin, (*steps, REST)))
    assert broken is None, "\n".join([*notes, str(broken)])


def disturbed(job: Step, *meanwhile: Fault | Between) -> Step:
    return dataclasses.replace(job, meanwhile=meanwhile)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize(("name", "at"), [(n, k + 1) for n in JOBS for k in range(JOBS[n][2])])
def test_given_a_lost_answer_when_a_job_is_done_then_each_promise_holds(
    name: str, at: int, kind: str
):
    before, job, _ = JOBS[name]
    check(ONE, *before, disturbed(job, Fault(kind, at)))


@pytest.mark.parametrize("kind", ["failed", "late"])
@pytest.mark.parametrize(("name", "at"), [(n, k + 1) for n in JOBS for k in range(JOBS[n][2])])
def test_given_an_object_that_fails_for_ever_then_all_else_goes_on(name: str, at: int, kind: str):
    before, job, _ = JOBS[name]
    more = declare(ALICE, BOB, {"who": "dave", "role": "view"})
    check(ONE, *before, disturbed(job, Fault(kind, at, lasts=True)), more, HOOK, *AUTHORITY)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("at", range(1, 17))
def test_given_a_lost_answer_when_the_application_goes_then_nothing_of_it_stays(
    at: int, kind: str
):
    remove = disturbed(Step("remove"), Fault(kind, at))
    check(ONE, *FIRST, grant(who="carol", role="view"), remove)


@pytest.mark.parametrize("at", range(1, 20))
@pytest.mark.parametrize("name", MEANWHILE)
def test_given_others_who_act_between_two_requests_then_each_promise_holds(name: str, at: int):
    before, job, act = MEANWHILE[name]
    check(TWO, *before, disturbed(job, Between(act, at)))


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("kind", ["killed before", "killed after"])
def test_given_a_hook_that_is_killed_when_the_authority_changes_then_each_promise_holds(
    kind: str, at: int
):
    killed = disturbed(Step("hook"), Fault(kind, at))
    check(LEGACY, *AUTHORITY, killed, Step("leader moves", {"to": 1}))


@pytest.mark.parametrize("kind", ["killed before", "killed after"])
@pytest.mark.parametrize(
    ("of", "at"), [*(("write", 1 + n) for n in range(13)), *(("tool", 1 + n) for n in range(14))]
)
def test_given_a_hook_that_is_killed_when_the_application_goes_then_nothing_of_it_stays(
    of: str, at: int, kind: str
):
    check(ONE, *FIRST, disturbed(Step("remove"), Fault(kind, at, of=of)))
