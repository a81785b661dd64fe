"""Which hook a uniter runs next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.juju.state.unitstate import LocalRelation, LocalState
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
