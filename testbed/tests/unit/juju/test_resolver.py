"""Which hook a uniter runs next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.juju.state.model import RETRY_HOOKS
from testbed.juju.state.secretevents import SecretEvent
from testbed.juju.state.unitstate import Hook, LocalRelation, LocalState
from testbed.juju.uniter.operation import committed
from testbed.juju.uniter.remotestate import RelationSnapshot, Snapshot
from testbed.juju.uniter.resolver import next_hook

NEW = Snapshot(unit="a/0", config_version="1", leader=True)
PEERS = RelationSnapshot("peers", "a", alive=True, peer=True, applications={"a": 0})
DB = RelationSnapshot("db", "b", alive=True, applications={"b": 0})


def run(local: LocalState, remote: Snapshot) -> tuple[LocalState, list[str]]:
    """Run every hook that is due. Return the local state afterwards, and the hooks."""
    ran = []
    while hook := next_hook(local, remote):
        ran.append(f"{hook.name} {hook.remote_unit}".strip())
        assert len(ran) < 50, ran
        local = committed(local, hook, remote)
    return local, ran


def started(remote: Snapshot = NEW) -> LocalState:
    return run(LocalState(), remote)[0]


def with_relation(relation: RelationSnapshot, remote: Snapshot = NEW) -> Snapshot:
    return replace(remote, relations={**remote.relations, 1: relation})


def test_a_new_follower_runs_leader_settings_changed() -> None:
    remote = replace(NEW, leader=False)

    assert run(LocalState(), remote)[1] == [
        "install",
        "leader-settings-changed",
        "config-changed",
        "start",
    ]


def test_a_unit_that_dies_before_install_runs_nothing() -> None:
    assert next_hook(LocalState(), replace(NEW, alive=False)) is None


def test_joined_is_followed_at_once_by_changed() -> None:
    local = started()
    members = {"b/0": 3, "b/1": 0}

    ran = run(local, with_relation(replace(DB, members=members, applications={"b": 1})))[1]

    assert ran == [
        "db-relation-created",
        "db-relation-changed",
        "db-relation-joined b/0",
        "db-relation-changed b/0",
        "db-relation-joined b/1",
        "db-relation-changed b/1",
    ]


def test_several_changes_lead_to_one_hook() -> None:
    local = run(started(), with_relation(replace(DB, members={"b/0": 1})))[0]

    assert run(local, with_relation(replace(DB, members={"b/0": 9})))[1] == [
        "db-relation-changed b/0"
    ]


@pytest.mark.parametrize("leader", [True, False])
def test_every_unit_hears_of_its_applications_data_the_leader_that_wrote_it_too(
    leader: bool,
) -> None:
    remote = with_relation(PEERS, replace(NEW, leader=leader))
    local = started(remote)

    ran = run(local, with_relation(replace(PEERS, applications={"a": 5}), remote))[1]

    assert ran == ["peers-relation-changed"]


def test_a_dying_unit_leaves_its_relations_stops_and_removes() -> None:
    remote = replace(NEW, relations={0: replace(PEERS, members={"a/1": 0}), 1: DB})
    local = started(remote)

    ran = run(local, replace(remote, alive=False))[1]

    assert ran == ["db-relation-broken", "peers-relation-departed a/1", "stop", "remove"]


def test_an_agent_that_restarts_takes_a_peer_relation_for_any_other() -> None:
    remote = replace(NEW, relations={0: replace(PEERS, members={"a/1": 0}), 1: DB})

    ran = run(started(remote), replace(remote, alive=False, restarts=True))[1]

    # In which order the relations end is chance. Here the peer relation is the first.
    assert ran == [
        "peers-relation-departed a/1",
        "peers-relation-broken",
        "db-relation-broken",
        "stop",
        "remove",
    ]


def test_an_agent_that_restarts_does_not_say_whose_relation_it_breaks() -> None:
    local = started(replace(NEW, relations={1: DB}))
    dying = replace(NEW, relations={1: DB}, alive=False)

    hooks = [next_hook(local, replace(dying, restarts=restarts)) for restarts in (True, False)]

    assert [hook and (hook.name, hook.remote_application) for hook in hooks] == [
        ("db-relation-broken", ""),
        ("db-relation-broken", "b"),
    ]


def test_a_unit_that_is_let_out_ends_what_lives_on_and_runs_only_stop_for_the_rest() -> None:
    other = replace(DB, endpoint="other", members={"c/0": 1})
    remote = replace(NEW, relations={0: PEERS, 1: replace(DB, members={"b/0": 1}), 2: other})
    dying = {0: replace(PEERS, alive=False), 1: replace(DB, alive=False), 2: other}
    local = started(remote)

    let_out = replace(remote, alive=False, let_out=True, relations=dying)
    local, ran = run(local, let_out)
    ran_last = run(local, replace(let_out, relations={}))[1]

    assert ran == ["other-relation-departed c/0", "other-relation-broken"]
    assert ran_last == ["stop", "remove"]


def test_a_dying_unit_that_no_relation_keeps_runs_neither_stop_nor_remove() -> None:
    local = started(replace(NEW, relations={1: DB}))

    ran = run(local, replace(NEW, alive=False, dies_unstopped=True))[1]

    assert ran == ["db-relation-broken"]


def test_a_dying_subordinate_stops_after_its_principal() -> None:
    dying = replace(NEW, alive=False, principal_leaving=True)

    assert next_hook(started(), dying) is None
    assert run(started(), replace(dying, principal_leaving=False))[1] == ["stop", "remove"]


@pytest.mark.parametrize(
    ("change", "departing"),
    [
        ({}, "b/0"),
        ({"alive": False}, "a/0"),
        ({"application_alive": False}, "a/0"),
    ],
)
def test_the_departing_unit_is_the_one_that_leaves(
    change: dict[str, bool], departing: str
) -> None:
    local = run(started(), with_relation(replace(DB, members={"b/0": 1})))[0]

    hook = next_hook(local, replace(with_relation(replace(DB, alive=False)), **change))

    assert hook is not None
    assert (hook.name, hook.remote_unit, hook.departing_unit) == (
        "db-relation-departed",
        "b/0",
        departing,
    )


@pytest.mark.parametrize(
    ("twice", "ran"), [(False, ["config-changed"]), (True, ["config-changed", "config-changed"])]
)
def test_new_options_lead_to_one_hook_or_in_4_1_to_two(twice: bool, ran: list[str]) -> None:
    remote = replace(NEW, config_twice=twice)
    local, first = run(LocalState(), remote)

    after, seen = run(local, replace(remote, config_version="2"))

    assert first == ["install", "leader-elected", "config-changed", "start"]
    assert seen == ran
    assert run(after, replace(remote, config_version="2", charm_version=2))[1] == [
        "upgrade-charm",
        "config-changed",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"config_version": "9"}, None),
        ({"retry_due": True}, "config-changed"),
        ({"resolved": RETRY_HOOKS}, "config-changed"),
        ({"charm_version": 2}, None),
    ],
)
def test_a_failed_hook_blocks_every_other(change: dict[str, object], expected: str | None) -> None:
    failed = replace(started(), failed=Hook("config-changed"))

    hook = next_hook(failed, replace(NEW, **change))

    assert (hook.kind if hook else None) == expected


def test_a_secret_event_leads_to_one_hook() -> None:
    obsolete = SecretEvent("secret-remove", "secret:x", "label", 1)

    local, ran = run(started(), replace(NEW, secrets=(obsolete,)))

    assert (ran, run(local, replace(NEW, secrets=(obsolete,)))[1]) == (["secret-remove"], [])


def test_secret_changed_runs_once_for_the_latest_revision() -> None:
    changed = SecretEvent("secret-changed", "secret:x", "", 3)
    local = run(started(), replace(NEW, secrets=(changed,)))[0]

    assert run(local, replace(NEW, secrets=(replace(changed, revision=2),)))[1] == []
    assert run(local, replace(NEW, secrets=(replace(changed, revision=4),)))[1] == [
        "secret-changed"
    ]


def test_the_changed_hook_of_a_joined_unit_runs_even_after_its_departure() -> None:
    local = replace(
        started(),
        relations={
            1: LocalRelation("db", "b", created=True, members={"b/0": 1}, changed_pending="b/0")
        },
    )

    assert run(local, with_relation(replace(DB, alive=False)))[1] == [
        "db-relation-changed b/0",
        "db-relation-departed b/0",
        "db-relation-broken",
    ]
