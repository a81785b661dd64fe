"""What is left when the charm goes: people's mappings, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import ops
import pytest
from tests.unit.conftest import Files
from tests.unit.fake_cluster import (
    DEFINITION,
    DEPLOYMENT,
    MAPPINGS,
    NODES,
    SERVICE,
    FakeCluster,
)
from tests.unit.faults import REFUSALS, refusal
from tests.unit.model import Easyrsa, Model

from cluster import manifests

PRINCIPAL = "kubernetes-control-plane/0"
Goals = Callable[[str, str], None]


@pytest.fixture
def goals(monkeypatch: pytest.MonkeyPatch) -> Goals:
    """Says what Juju's goal-state answers for the principal's unit on an endpoint."""

    def answer(endpoint: str, status: str) -> None:
        goal = ops.hookcmds.Goal(status=status, since=datetime.now(timezone.utc))
        found = ops.hookcmds.GoalState(units={}, relations={endpoint: {PRINCIPAL: goal}})
        monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)
        monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", PRINCIPAL)

    return answer


@pytest.fixture(autouse=True)
def _relation_is_going(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ops.hookcmds.GoalState(units={}, relations={})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)


def test_given_a_relation_that_ends_when_the_control_plane_departs_then_it_is_told_before_the_file(
    deployed: Model, api: FakeCluster, files: Files
):
    deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))

    assert deployed.published()["webhook_status"] is False
    assert files.webhook.exists()
    assert api.seen == []


def test_given_a_control_plane_that_left_when_other_hooks_run_then_it_is_not_told_otherwise(
    deployed: Model, files: Files
):
    deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))
    deployed.hook(deployed.broken("aws-iam"))

    assert deployed.published()["webhook_status"] is False


def test_given_the_last_unit_when_it_is_removed_then_the_machine_is_as_it_was(
    deployed: Model, files: Files
):
    files.webhook.with_name(".aws-iam-webhook.yaml.new").write_text("left by a killed hook")
    deployed.hook(deployed.on.remove())

    assert list(files.webhook.parent.glob("*aws-iam*")) == []
    assert list(files.webhook.parent.glob(".*")) == []


def test_given_a_file_that_cannot_be_removed_when_removed_then_it_is_logged_and_the_rest_goes(
    deployed: Model, api: FakeCluster, files: Files
):
    files.webhook.unlink()
    files.webhook.mkdir()
    deployed.hook(deployed.on.remove())

    assert f"cannot remove {files.webhook}: Is a directory" in deployed.log()
    assert set(api.objects) == {DEFINITION, f"{NODES}/n0"}


def test_given_the_last_unit_when_it_is_removed_then_only_peoples_mappings_stay_in_the_cluster(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("dev", "arn:aws:iam::111122223333:role/dev")
    deployed.hook(deployed.on.remove())

    assert set(api.objects) == {DEFINITION, f"{MAPPINGS}/dev", f"{NODES}/n0"}


def test_given_the_last_unit_when_it_is_removed_then_the_pods_go_first_and_the_service_last(
    deployed: Model, api: FakeCluster
):
    deployed.hook(deployed.on.remove())
    kinds = [change.split("/")[-2] for change in api.changes]

    assert kinds[0] == "deployments"
    assert kinds[-1] == "services"
    assert len(kinds) == len(manifests.OWNED) - len(manifests.OPTIONAL)


def test_given_a_control_plane_unit_that_is_removed_then_the_cluster_is_left_to_the_others(
    two: Model, api: FakeCluster, machines: list[Files], goals: Goals
):
    api.forget()
    goals("aws-iam", "dying")
    two.hook(two.on.remove(), unit=0)

    assert api.seen == []
    assert not machines[0].webhook.exists()
    assert machines[1].webhook.exists()


def test_given_a_control_plane_that_stays_when_the_unit_is_removed_then_the_cluster_is_cleaned(
    deployed: Model, api: FakeCluster, goals: Goals
):
    goals("aws-iam", "active")
    deployed.hook(deployed.on.remove())

    assert api.seen


def test_given_a_juju_that_does_not_say_what_goes_when_removed_then_the_log_has_the_commands(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    def fails() -> ops.hookcmds.GoalState:
        raise ops.hookcmds.Error(returncode=1, cmd=["goal-state"], stderr="no goal")

    monkeypatch.setattr(ops.hookcmds, "goal_state", fails)
    api.forget()
    deployed.hook(deployed.on.remove())

    assert api.seen == []
    assert "remove it with: kubectl -n kube-system delete" in deployed.log()


def test_given_a_cluster_that_was_cleaned_by_hand_when_removed_then_that_is_fine(
    deployed: Model, api: FakeCluster
):
    api.clear()
    deployed.hook(deployed.on.remove())

    assert "remove it with" not in deployed.log()


def test_given_an_object_that_somebody_deletes_meanwhile_when_removed_then_the_rest_goes(
    deployed: Model, api: FakeCluster
):
    api.fail(refusal(404, "not found"), request=f"DELETE {DEPLOYMENT}")
    deployed.hook(deployed.on.remove())

    assert SERVICE not in api.objects
    assert "remove it with" not in deployed.log()


def test_given_an_object_that_may_not_be_deleted_when_removed_then_the_log_has_the_commands(
    deployed: Model, api: FakeCluster
):
    api.fail(refusal(403, "no"), request=f"DELETE {DEPLOYMENT}")
    deployed.hook(deployed.on.remove())

    assert f"remove it with: {manifests.removal_command()}" in deployed.log()


def test_given_mappings_that_may_not_be_deleted_when_removed_then_the_log_has_the_commands(
    deployed: Model, api: FakeCluster
):
    api.fail(refusal(403, "no"), request=f"DELETE {MAPPINGS}")
    deployed.hook(deployed.on.remove())

    assert f"remove it with: {manifests.removal_command()}" in deployed.log()


@pytest.mark.parametrize("fault", [name for name in REFUSALS if name != "404"])
def test_given_a_cluster_that_fails_when_removed_then_the_log_has_the_commands_that_clean_it(
    deployed: Model, api: FakeCluster, files: Files, fault: str
):
    api.fail(REFUSALS[fault])
    deployed.hook(deployed.on.remove())

    assert f"remove it with: {manifests.removal_command()}" in deployed.log()
    assert not files.webhook.exists()


def test_given_no_kubeconfig_when_removed_then_the_log_has_the_commands(
    deployed: Model, files: Files
):
    files.admin.unlink()
    deployed.hook(deployed.on.remove())

    assert f"remove it with: {manifests.removal_command()}" in deployed.log()


def test_given_a_removed_application_when_it_is_deployed_again_then_it_settles(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    deployed.hook(deployed.on.remove())
    again = Model(easyrsa, [files])
    again.settle()

    assert again.hook().name == "active"
