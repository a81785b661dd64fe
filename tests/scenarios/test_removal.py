"""A unit that goes, whichever of its last hooks Juju runs: what is left, and what is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest import mock

import ops
import pytest
from tests.fakes import at_rest
from tests.fakes.acting import ROLE, grant
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.fixtures import Goals
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import REFUSALS, refusal
from tests.fakes.kubernetes.paths import DEFINED, DEFINITION, DEPLOYMENT, MAPPINGS, SECRET
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

import removal

GOING = ops.WaitingStatus("waiting for Juju to remove this unit")
FIRST, SECOND, THIRD = (f"kubernetes-control-plane/{n}" for n in range(3))


@pytest.fixture(params=["aws-iam", "control-plane"])
def either(request: pytest.FixtureRequest, model: Model, api: FakeCluster) -> Model:
    """At rest, and related by either endpoint."""
    model.endpoints = (request.param,)
    at_rest.settle(model, api)
    api.forget()
    return model


# The application goes.


def test_given_the_last_unit_when_removed_then_pods_go_first_and_peoples_mappings_alone_stay(
    deployed: Model, api: FakeCluster, files: Files
):
    api.add_mapping("dev", ROLE)
    files.webhook.with_name(".aws-iam-webhook.yaml.new").write_text("left by a killed hook")
    deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))
    # The control plane has yet to hear that it must not look for the file.
    assert deployed.published()["webhook_status"] is False
    assert files.webhook.exists()
    assert api.seen == []

    deployed.hook(deployed.on.remove())

    assert set(api.objects) == {*DEFINED, f"{MAPPINGS}/dev"}
    kinds = [change.split("/")[-2] for change in api.changes]
    assert (kinds[0], kinds[-1]) == ("deployments", "services")
    assert list(files.webhook.parent.glob("*aws-iam*")) == []


def test_given_a_unit_that_never_served_when_it_goes_then_it_takes_its_predecessors_files_along(
    model: Model, files: Files
):
    for path in (files.webhook, files.machine.login_kubeconfig):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("of a unit whose agent was lost")

    model.hook(model.on.remove())

    assert not files.webhook.exists()
    assert not files.machine.login_kubeconfig.exists()


@pytest.mark.usefixtures("departing")
def test_given_a_unit_that_goes_when_its_authority_departs_first_then_that_hook_alone_cleans_up(
    deployed: Model, api: FakeCluster, files: Files
):
    on = deployed.on
    assert deployed.hook(on.relation_departed(deployed.relation("certificates"))) == GOING
    assert not any("aws-iam-authenticator" in path for path in api.objects)
    assert files.webhook.exists()

    api.forget()
    for event in (
        deployed.broken("certificates"),
        on.relation_departed(deployed.relation("aws-iam")),
        deployed.broken("aws-iam"),
        on.stop(),
        on.remove(),
    ):
        assert deployed.hook(event) == GOING
    assert api.changes == []
    assert not files.webhook.exists()


def test_given_a_juju_that_runs_no_remove_when_the_relation_breaks_then_all_is_clean(
    either: Model, api: FakeCluster, files: Files, goals: Goals
):
    (endpoint,) = either.endpoints
    grant(either, for_="1h")
    goals(endpoint, {FIRST: "active"})
    either.hook(either.on.relation_departed(either.relation(endpoint)))
    either.hook(either.broken(endpoint))

    assert set(api.objects) == {*DEFINED}
    assert not files.webhook.exists()


def test_given_both_endpoints_when_both_relations_break_then_the_second_cleans(
    deployed: Model, api: FakeCluster, files: Files
):
    deployed.endpoints = ("aws-iam", "control-plane")
    deployed.settle()
    deployed.hook(deployed.broken("aws-iam"))
    assert DEPLOYMENT in api.objects

    deployed.endpoints = ("control-plane",)
    deployed.hook(deployed.broken("control-plane"))
    assert set(api.objects) == {*DEFINED}
    assert not files.webhook.exists()


def test_given_a_unit_and_relation_that_juju_knows_no_more_then_the_last_hooks_do_their_work(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    gone = ops.RelationNotFoundError("ERROR relation not found")
    monkeypatch.setattr(ops.RelationDataContent, "update", mock.Mock(side_effect=gone))
    deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))
    deployed.hook(deployed.broken("aws-iam"))
    no_unit = mock.Mock(side_effect=ops.ModelError('ERROR unit "aws-iam/0" not found'))
    monkeypatch.setattr(ops.Unit, "status", property(fset=no_unit))
    deployed.hook(deployed.on.stop())

    assert set(api.objects) == {*DEFINED}


def test_given_role_bindings_when_removed_without_the_definition_then_they_go_too(
    deployed: Model, api: FakeCluster
):
    api.add_role("view", "get")
    grant(deployed, role="view")
    for path in [DEFINITION, *(each for each in api.objects if each.startswith(MAPPINGS))]:
        api.delete(path)
    deployed.hook(deployed.on.remove())

    assert not [path for path in api.objects if "/clusterrolebindings/aws-iam-" in path]


# What cannot be removed.


def test_given_a_file_that_cannot_be_removed_when_removed_then_it_is_logged_and_the_rest_goes(
    deployed: Model, api: FakeCluster, files: Files
):
    files.webhook.unlink()
    files.webhook.mkdir()
    deployed.hook(deployed.on.remove())

    assert f"cannot remove {files.webhook}: Is a directory" in deployed.log()
    assert set(api.objects) == {*DEFINED}


@pytest.mark.parametrize(
    "harm",
    [
        lambda api, _: api.fail(refusal(403, "no"), request=f"DELETE {DEPLOYMENT}"),
        lambda api, _: api.fail(REFUSALS["503"]),
        lambda _, files: files.admin.unlink(),
    ],
    ids=["an object may not be deleted", "the cluster fails", "no kubeconfig"],
)
def test_given_what_cannot_be_removed_when_removed_then_the_log_has_the_commands_that_clean_it(
    deployed: Model, api: FakeCluster, files: Files, harm: Callable[[FakeCluster, Files], None]
):
    harm(api, files)
    deployed.hook(deployed.on.remove())

    assert f"remove it with: {removal.removal_command()}" in deployed.log()
    assert not files.webhook.exists()


@pytest.mark.parametrize("nth", [1, 0], ids=["once", "always"])
def test_given_an_object_that_is_not_deleted_then_that_hook_tries_again_and_names_what_stays(
    deployed: Model, api: FakeCluster, nth: int
):
    api.fail(REFUSALS["500"], request=f"DELETE {SECRET}", nth=nth)
    deployed.hook(deployed.on.stop())

    said = "the cluster keeps what this charm deployed ("
    assert set(api.objects) == {*DEFINED, *([] if nth else [SECRET])}
    assert (said in deployed.log()) is (nth == 0)


# The unit's control plane goes: the cluster is the others'.


def test_given_a_control_plane_unit_that_is_removed_then_the_cluster_is_left_to_the_others(
    two: Model, api: FakeCluster, machines: list[Files], goals: Goals
):
    bags = two.bags()
    api.forget()
    goals("aws-iam", {FIRST: "active", SECOND: "dying"})
    relation = two.relation("aws-iam")
    two.hook(two.on.relation_departed(relation, remote_unit=1, departing_unit=1))
    assert two.bags() == bags

    goals("aws-iam", {FIRST: "dying", SECOND: "active"})
    two.hook(two.on.remove(), unit=0)
    assert api.seen == []
    assert not machines[0].webhook.exists()
    assert machines[1].webhook.exists()


@pytest.mark.parametrize("is_dead", [True, False])
def test_given_a_control_plane_that_goes_then_the_cluster_stays_whatever_juju_says_later(
    either: Model, api: FakeCluster, goals: Goals, *, is_dead: bool
):
    (endpoint,) = either.endpoints
    if is_dead:
        goals(endpoint, {SECOND: "active", THIRD: "active"})
    else:
        goals(endpoint, {FIRST: "dying", SECOND: "active"})
        either.hook(either.on.relation_departed(either.relation(endpoint)))
        goals("certificates", {"easyrsa/0": "active"})
    either.hook(either.broken(endpoint))
    either.hook(either.on.remove())

    assert api.changes == []


@pytest.mark.parametrize("principal", ["active", "dying"], ids=["all units", "one unit"])
def test_given_a_leader_that_goes_then_its_application_says_that_it_serves_if_others_stay(
    deployed: Model, goals: Goals, principal: str
):
    """Juju keeps the application's line after its last unit."""
    line = deployed.hook()

    goals("control-plane", {FIRST: principal})
    deployed.hook(deployed.on.stop())

    nobody = ops.WaitingStatus("waiting for another unit")
    assert deployed.status == (line if principal == "dying" else nobody)


def test_given_a_juju_that_does_not_say_what_goes_then_the_log_has_the_commands(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    no_goal = ops.hookcmds.Error(returncode=1, cmd=["goal-state"], stderr="no goal")
    monkeypatch.setattr(ops.hookcmds, "goal_state", mock.Mock(side_effect=no_goal))
    deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))
    assert deployed.published()["webhook_status"] is False

    deployed.hook(deployed.on.remove())

    assert api.seen == []
    assert "remove it with: kubectl -n kube-system delete" in deployed.log()


@pytest.mark.usefixtures("departing")
@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("order", [1, -1], ids=["certificates first", "control plane first"])
def test_given_a_leader_that_goes_then_key_certificate_and_pods_stay(
    api: FakeCluster, machines: list[Files], goals: Goals, order: int, sealed: bool
):
    pair = Model(SelfSigned(), machines, units=2)
    pair.settle()
    asked, before = dict(pair.certificates), api.objects[SECRET]["data"]
    goals("aws-iam", {FIRST: "dying", SECOND: "active"})
    for endpoint in ("certificates", "aws-iam")[::order]:
        pair.hook(pair.on.relation_departed(pair.relation(endpoint)))
        pair.hook(pair.broken(endpoint))
    pair.leader = 1
    api.forget()
    for _ in range(3):
        pair.hook(unit=1)
        if not sealed:
            pair.answer()

    assert pair.units[1].status.name == "active"
    assert dict(pair.certificates) == asked
    assert api.objects[SECRET]["data"] == before
    assert api.changes == []


# Juju 4 lets the last unit, if it is blocked, out of its peer relation, and still lists that.


@pytest.fixture
def denied() -> Iterator[pytest.MonkeyPatch]:
    error = ops.hookcmds.Error(returncode=1, cmd=["relation-get"], stderr="permission denied")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops.hookcmds, "relation_get", mock.Mock(side_effect=error))
        yield patch


def test_given_a_unit_that_stays_when_juju_denies_it_its_databag_then_it_waits_and_goes_on(
    deployed: Model, api: FakeCluster, files: Files, denied: pytest.MonkeyPatch
):
    stored, file = dict(api.objects), files.webhook.read_text()
    for event in (deployed.on.update_status(), deployed.on.config_changed()):
        assert deployed.hook(event) == ops.WaitingStatus(
            "waiting for Juju to set up the peer relation"
        )

    denied.undo()
    assert deployed.hook().name == "active"
    assert (api.objects, files.webhook.read_text(), api.changes) == (stored, file, [])


@pytest.mark.usefixtures("denied")
def test_given_a_unit_without_its_peer_relation_when_it_stops_then_that_hook_cleans_up(
    deployed: Model, api: FakeCluster, files: Files
):
    assert deployed.hook(deployed.on.stop()) == GOING
    assert {path for path in api.objects if "/events" not in path} == {*DEFINED}
    assert not files.webhook.exists()
