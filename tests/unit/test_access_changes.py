# SPDX-License-Identifier: Apache-2.0

"""What is told of access that has changed: each change once, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import httpx2
import pytest
from tests.fakes import alarms
from tests.fakes.acting import GRANT, grant
from tests.fakes.declaring import ACCOUNT
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import MAPPINGS, NOTICES
from tests.fakes.kubernetes.server import FakeCluster

import access_changes
from access.desired import Access
from access.mapping import IdentityMapping
from cluster import events

MANY = 30


def told(api: FakeCluster) -> list[tuple[str, str]]:
    """Each event: its reason, and the mapping that it is about."""
    return [
        (each["reason"], each["regarding"]["name"])
        for path, each in api.objects.items()
        if path.startswith(NOTICES)
    ]


def logged(model: Model, begin: str, unit: int = 0) -> list[str]:
    return [line for line in model.log(unit).splitlines() if line.startswith(begin)]


def add_ended(api: FakeCluster, names: Sequence[str]) -> str:
    """Store mappings that end now. Return when that is."""
    end = alarms.after(api, 0)
    for name in names:
        arn = f"{ACCOUNT}:role/{name}"
        api.add_mapping(name, arn, arn.lower(), expires=end)
    api.clock.now += 5
    return end


def mapping(name: str, arn: str = f"{ACCOUNT}:role/a") -> IdentityMapping:
    return IdentityMapping(name, arn, name, arn.lower())


def test_given_a_hook_that_dies_after_its_writes_then_the_log_has_said_what_it_was_about_to_write(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    end = add_ended(api, ["a"])
    deployed.has_bugs = True

    def die(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(access_changes, "tell", die)
    deployed.hook()

    assert f"{MAPPINGS}/a" not in api.objects
    assert logged(deployed, "expired at") == [
        f"expired at {end}: delete mapping a of {ACCOUNT}:role/a"
    ]


def test_given_what_others_grant_meanwhile_then_nothing_is_told_of_it(
    deployed: Model, api: FakeCluster
):
    def grant_theirs() -> None:
        api.add_mapping("theirs", f"{ACCOUNT}:role/x", f"{ACCOUNT}:role/x")

    # Where an answer is lost, another look finds theirs too.
    request = f"PUT {MAPPINGS}/{GRANT}/status"
    api.meanwhile(grant_theirs, request=f"POST {MAPPINGS}")
    for _ in range(2):
        api.lose(httpx2.ReadTimeout, request=request)
    grant(deployed)

    assert told(api) == [("AccessGranted", GRANT)]
    assert api.requests.count(f"GET {MAPPINGS}") > 1


def test_given_many_that_have_ended_then_twenty_are_named_and_the_others_counted(
    deployed: Model, api: FakeCluster
):
    add_ended(api, [f"m{n:02}" for n in range(MANY)])
    deployed.hook()

    ended = logged(deployed, "access has ended")
    assert len(ended) == access_changes.MOST_LOGGED + 1
    assert ended[-1] == "access has ended: and 10 more"
    ahead = logged(deployed, "expired at") + logged(deployed, "option mappings: and")
    assert len(ahead) == access_changes.MOST_LOGGED + 1
    assert ahead[-1] == "option mappings: and 10 more changes"
    assert len(told(api)) == events.MOST
    assert deployed.peer["ended"].count("arn:aws:iam") == MANY


@pytest.mark.parametrize("unit", [0, 1])
def test_given_an_ended_grant_that_is_revoked_then_only_the_leader_remembers_that_it_ended(
    two: Model, api: FakeCluster, unit: int
):
    grant(two, for_="30m")
    api.clock.now += 1801
    before = dict(two.peer)
    two.action("revoke-access", unit, arn="arn:aws:iam::111122223333:role/Dev")

    assert [reason for reason, _ in told(api)] == ["AccessGranted", "AccessEnded"]
    assert (two.peer == before) == (unit == 1)
    assert len(logged(two, "access has ended", unit)) == 1


@pytest.mark.parametrize("change", ["new", "changed", "granted before"])
def test_given_a_grant_then_the_event_says_whether_it_is_new(
    deployed: Model, api: FakeCluster, change: str
):
    if change != "new":
        grant(deployed, for_="1h")
    before = len(told(api))
    grant(deployed, for_="2h" if change == "changed" else "1h")

    reasons = [reason for reason, _ in told(api)[before:]]
    # The same grant a moment later may end a second later.
    wanted = {"new": ["AccessGranted"], "changed": ["AccessChanged"], "granted before": []}
    assert reasons == wanted[change]


@pytest.mark.parametrize(
    ("after", "gone"),
    [
        ((), ["a"]),
        ((mapping("a"),), []),
        ((dataclasses.replace(mapping("a"), username="other"),), []),
        ((mapping("a", f"{ACCOUNT}:role/b"),), ["a"]),
        ((mapping("b"),), ["a"]),
    ],
    ids=["deleted", "as it was", "another user", "another principal", "another name"],
)
def test_given_two_looks_then_a_mapping_is_gone_that_no_longer_lets_its_principal_in(
    after: tuple[IdentityMapping, ...], gone: list[str]
):
    removed = access_changes.removed(Access((mapping("a"),)), Access(after))

    assert [each.name for each in removed] == gone
