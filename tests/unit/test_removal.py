"""What is left when the charm goes: people's mappings, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import ops
import pytest
from tests.fakes import at_rest
from tests.fakes.acting import grant
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import REFUSALS, refusal
from tests.fakes.kubernetes.paths import DEFINED, DEFINITION, DEPLOYMENT, MAPPINGS, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from cluster import references

DEV = "arn:aws:iam::111122223333:role/dev"
APPLICATION = "kubernetes-control-plane"
Goals = Callable[..., None]


@pytest.fixture
def goals(monkeypatch: pytest.MonkeyPatch) -> Goals:
    """Says what Juju's goal-state lists on an endpoint: the application, and these units."""

    def answer(endpoint: str, application: str = APPLICATION, **units: str) -> None:
        listed = {application: "joined"}
        listed |= {f"{application}/{name[1:]}": status for name, status in units.items()}
        now = datetime.now(timezone.utc)
        goals = {
            name: ops.hookcmds.Goal(status=status, since=now) for name, status in listed.items()
        }
        found = ops.hookcmds.GoalState(units={}, relations={endpoint: goals})
        monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)

    return answer


@pytest.fixture(params=["aws-iam", "control-plane"])
def either(request: pytest.FixtureRequest, model: Model, api: FakeCluster) -> Model:
    """At rest, and related by either endpoint."""
    model.endpoints = (request.param,)
    at_rest.settle(model, api)
    api.forget()
    return model


def _fails() -> ops.hookcmds.GoalState:
    raise ops.hookcmds.Error(returncode=1, cmd=["goal-state"], stderr="no goal")


def test_given_a_relation_that_ends_when_the_control_plane_departs_then_it_is_told_before_the_file(
    deployed: Model, api: FakeCluster, files: Files
):
    deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))

    assert deployed.published()["webhook_status"] is False
    assert files.webhook.exists()
    assert api.seen == []


def test_given_the_last_unit_when_removed_then_pods_go_first_and_peoples_mappings_alone_stay(
    deployed: Model, api: FakeCluster, files: Files
):
    api.add_mapping("dev", DEV)
    files.webhook.with_name(".aws-iam-webhook.yaml.new").write_text("left by a killed hook")
    deployed.hook(deployed.on.remove())

    assert set(api.objects) == {*DEFINED, f"{MAPPINGS}/dev"}
    kinds = [change.split("/")[-2] for change in api.changes]
    assert (kinds[0], kinds[-1]) == ("deployments", "services")
    assert list(files.webhook.parent.glob("*aws-iam*")) == []


@pytest.mark.parametrize("principal", ["active", "dying"], ids=["all units", "one unit"])
def test_given_a_leader_that_goes_then_its_application_says_that_it_serves_if_others_stay(
    deployed: Model, goals: Goals, principal: str
):
    """Juju keeps the application's line after its last unit."""
    line = deployed.hook()
    assert isinstance(line, ops.ActiveStatus)

    goals("control-plane", u0=principal)
    deployed.hook(deployed.on.stop())

    nobody = ops.WaitingStatus("waiting for another unit")
    assert deployed.status == (line if principal == "dying" else nobody)


def test_given_a_file_that_cannot_be_removed_when_removed_then_it_is_logged_and_the_rest_goes(
    deployed: Model, api: FakeCluster, files: Files
):
    files.webhook.unlink()
    files.webhook.mkdir()
    deployed.hook(deployed.on.remove())

    assert f"cannot remove {files.webhook}: Is a directory" in deployed.log()
    assert set(api.objects) == {*DEFINED}


def test_given_a_unit_and_relation_that_juju_knows_no_more_then_the_last_hooks_do_their_work(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    def set_status(*_: object) -> None:
        raise ops.ModelError('ERROR unit "aws-iam/0" not found')

    def update(*_: object) -> None:
        raise ops.RelationNotFoundError("ERROR relation not found")

    monkeypatch.setattr(ops.RelationDataContent, "update", update)
    deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))
    deployed.hook(deployed.broken("aws-iam"))
    monkeypatch.setattr(ops.Unit, "status", property(fset=set_status))
    deployed.hook(deployed.on.stop())

    assert set(api.objects) == {*DEFINED}


def test_given_a_control_plane_unit_that_is_removed_then_the_cluster_is_left_to_the_others(
    two: Model, api: FakeCluster, machines: list[Files], goals: Goals
):
    api.forget()
    goals("aws-iam", u0="dying", u1="active")
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
        goals(endpoint, u1="active", u2="active")
    else:
        goals(endpoint, u0="dying", u1="active")
        either.hook(either.on.relation_departed(either.relation(endpoint)))
        goals("certificates", "easyrsa", u0="active")
    either.hook(either.broken(endpoint))
    either.hook(either.on.remove())

    assert api.changes == []


def test_given_another_control_plane_that_departs_when_this_one_stays_then_nothing_changes(
    two: Model, api: FakeCluster, goals: Goals
):
    bags, relation = two.bags(), two.relation("aws-iam")
    api.forget()
    goals("aws-iam", u0="active", u1="dying")
    two.hook(two.on.relation_departed(relation, remote_unit=1, departing_unit=1))

    assert two.bags() == bags
    assert api.seen == []


def test_given_a_juju_that_does_not_say_what_goes_then_the_log_has_the_commands(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ops.hookcmds, "goal_state", _fails)
    deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))
    assert deployed.published()["webhook_status"] is False

    deployed.hook(deployed.on.remove())

    assert api.seen == []
    assert "remove it with: kubectl -n kube-system delete" in deployed.log()


def test_given_a_juju_that_runs_no_remove_when_the_relation_breaks_then_all_is_clean(
    either: Model, api: FakeCluster, files: Files, goals: Goals
):
    (endpoint,) = either.endpoints
    grant(either, arn=DEV, for_="1h")
    goals(endpoint, u0="active")
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

    assert f"remove it with: {references.removal_command()}" in deployed.log()
    assert not files.webhook.exists()


def test_given_role_bindings_when_removed_without_the_definition_then_they_go_too(
    deployed: Model, api: FakeCluster
):
    api.add_role("view", "get")
    grant(deployed, arn=DEV, role="view")
    for path in [DEFINITION, *(each for each in api.objects if each.startswith(MAPPINGS))]:
        api.delete(path)
    deployed.hook(deployed.on.remove())

    assert not [path for path in api.objects if "/clusterrolebindings/aws-iam-" in path]


# What guards stays, and each object goes by itself.


@pytest.mark.parametrize("path", [SECRET, DEPLOYMENT, f"{MAPPINGS}/dev", SERVICE])
@pytest.mark.parametrize("fault", ["connection reset", "read timeout", "500", "401"])
def test_given_one_request_that_fails_when_removed_then_that_hook_tries_it_again(
    deployed: Model, api: FakeCluster, path: str, fault: str
):
    api.add_mapping("dev", DEV, DEV, source="grant")
    api.fail(REFUSALS[fault], request=f"DELETE {path}", nth=1)
    deployed.hook(deployed.on.stop())

    assert set(api.objects) == {*DEFINED}
    assert "remove it with" not in deployed.log()


@pytest.mark.parametrize("fault", ["500", "403", "409"])
def test_given_an_object_that_is_never_deleted_when_removed_then_it_alone_stays_and_is_named(
    deployed: Model, api: FakeCluster, fault: str
):
    api.fail(REFUSALS[fault], request=f"DELETE {SECRET}")
    deployed.hook(deployed.on.stop())

    assert set(api.objects) == {*DEFINED, SECRET}
    assert "the cluster keeps what this charm deployed (Secret kube-system/aws-iam-certs: " in (
        deployed.log()
    )
