"""From the relation to the option under a running charm: both endpoints lead to one control
plane meanwhile, and nothing that people log in by changes."""

from __future__ import annotations

import datetime

import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import REFUSALS
from tests.fakes.kubernetes.paths import ADDRESS, MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

BOTH = ("aws-iam", "control-plane")
SERVING = "2/2 pods, 0 mappings"
URL = f"https://{ADDRESS}:443/authenticate"
NEXT = f"{SERVING}, next for Charmed Kubernetes 1.29: "
COMMAND = f"run: juju config kubernetes-control-plane authn-webhook-endpoint={URL}"
SET = f"webhook not set; {COMMAND}"
LEAVE = (
    "relation aws-iam no longer needed; "
    "run: juju remove-relation aws-iam:aws-iam kubernetes-control-plane:aws-iam"
)


def render(files: Files, *, given: str = "", option: str = "") -> None:
    """As both kinds of control plane render their webhook, as far as the charm looks."""
    files.auth_webhook.write_text(
        f"AWS_IAM_ENDPOINT = '{given}'\n"
        "KEYSTONE_ENDPOINT = ''\n"
        f"CUSTOM_AUTHN_ENDPOINT = '{option}'\n"
    )


@pytest.fixture
def both(deployed: Model, api: FakeCluster, files: Files) -> Model:
    """At rest on a control plane that is integrated a second time, through juju-info."""
    render(files, given=URL)
    deployed.endpoints = BOTH
    deployed.settle()
    api.forget()
    return deployed


@pytest.fixture
def moved(both: Model, files: Files) -> Model:
    """The same, once the option is set and the relation gone."""
    render(files, given=URL, option=URL)
    both.hook()
    both.hook(both.on.relation_departed(both.relation("aws-iam")))
    both.hook(both.broken("aws-iam"))
    both.endpoints = ("control-plane",)
    return both


def test_given_a_duplicate_too_when_a_hook_runs_then_the_line_has_one_command_at_its_end(
    both: Model, api: FakeCluster
):
    arn = "arn:aws:iam::111122223333:role/dev"
    both.config = {"mappings": f"[{{arn: '{arn}', username: dev}}]"}
    api.add_mapping("copy", arn, arn)

    line = both.hook(both.on.config_changed()).message

    assert line.endswith("; run: kubectl delete iamidentitymapping copy")
    assert line.count("run: ") == 1
    api.delete(f"{MAPPINGS}/copy")
    assert both.hook().message.endswith(SET)


def test_given_both_relations_when_hooks_run_then_all_that_people_log_in_by_stays(
    both: Model, api: FakeCluster, files: Files
):
    file, published, peer = files.webhook.read_text(), both.published(), dict(both.peer)
    assert both.hook() == ops.ActiveStatus(NEXT + SET)
    render(files, given=URL, option=URL)
    both.hook()

    assert api.changes == []
    assert files.webhook.read_text() == file
    assert both.published() == published
    assert published["webhook_status"] is True
    assert both.peer == peer


def test_given_an_api_that_is_down_when_the_unit_changes_over_then_it_forgets_nothing(
    deployed: Model, api: FakeCluster, files: Files
):
    file, known = files.webhook.read_text(), {**deployed.peer, "relation": ""}
    api.fail(REFUSALS["503"])
    files.webhook.unlink()

    deployed.endpoints = BOTH
    deployed.hook()
    assert files.webhook.read_text() == file
    assert {**deployed.peer, "relation": ""} == known

    deployed.endpoints = ("control-plane",)
    deployed.hook()
    assert {**deployed.peer, "relation": ""} == known


def test_given_the_relation_is_gone_when_hooks_run_then_the_unit_is_active_and_nothing_changed(
    moved: Model, api: FakeCluster, files: Files
):
    known = {key: moved.peer[key] for key in ("cluster-id", "address", "ca", "serving")}
    render(files, option=URL)

    assert moved.hook() == ops.ActiveStatus(SERVING)
    assert {key: moved.peer[key] for key in known} == known
    assert known["serving"] == "true"
    assert known["ca"]
    assert api.changes == []
    assert moved.units[0].alarms == []


def test_given_the_relation_is_gone_then_the_file_stays_while_anybody_may_use_it(
    moved: Model, files: Files
):
    files.auth_webhook.unlink()
    moved.hook()
    assert files.webhook.exists()
    render(files, given=URL, option=URL)
    moved.hook()
    ours = files.webhook.read_text()
    theirs = ours.replace("aws-iam of model k8s", "other of model k8s")
    files.webhook.write_text(theirs)
    render(files, option=URL)
    moved.hook()
    assert files.webhook.read_text() == theirs

    files.webhook.write_text(ours)
    moved.hook()
    assert not files.webhook.exists()


def control_plane_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Juju removes the control-plane unit, and this unit departs with it."""
    now, name = datetime.datetime.now(datetime.timezone.utc), "kubernetes-control-plane"
    statuses = {name: "joined", f"{name}/0": "dying", f"{name}/1": "active"}
    listed = {each: ops.hookcmds.Goal(status=text, since=now) for each, text in statuses.items()}
    found = ops.hookcmds.GoalState(units={}, relations={"control-plane": listed})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)
    own = property(lambda event: event.framework.model.unit)
    monkeypatch.setattr(ops.RelationDepartedEvent, "departing_unit", own)


def test_given_both_relations_when_the_control_plane_goes_then_no_later_answer_deletes_the_cluster(
    both: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    control_plane_goes(monkeypatch)
    api.forget()
    both.hook(both.on.relation_departed(both.relation("aws-iam")))
    nothing = ops.hookcmds.GoalState(units={}, relations={})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: nothing)
    both.hook(both.broken("aws-iam"))
    both.endpoints = ("control-plane",)
    both.hook(both.broken("control-plane"))
    both.hook(both.on.stop())

    assert api.changes == []


@pytest.mark.parametrize("endpoint", ["certificates", "control-plane", "peers"])
def test_given_a_unit_that_changed_over_when_its_control_plane_goes_then_the_cluster_stays(
    moved: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch, endpoint: str
):
    """Juju may end any of its relations first. What it said of the former one was of that."""
    control_plane_goes(monkeypatch)
    api.forget()
    relation = moved.relation(endpoint)
    remote = {"remote_unit": 1} if endpoint == "peers" else {}

    moved.hook(moved.on.relation_departed(relation, **remote))

    assert moved.units[0].status.message == "waiting for Juju to remove this unit"
    assert api.changes == []


def test_given_a_unit_that_does_not_lead_when_it_changes_over_then_it_says_the_same_steps(
    two: Model, machines: list[Files]
):
    render(machines[1], given=URL)
    two.endpoints = BOTH
    two.settle()

    assert two.hook(unit=1) == ops.ActiveStatus(f"ready, next for Charmed Kubernetes 1.29: {SET}")
    assert two.units[1].alarms


def test_given_the_option_when_the_relation_comes_back_then_the_file_is_there_before_it_is_used(
    moved: Model, files: Files
):
    render(files, option=URL)
    moved.hook()
    moved.units[0].webhook.clear()

    moved.endpoints = BOTH
    assert moved.hook() == ops.ActiveStatus(NEXT + LEAVE)
    assert moved.published()["webhook_status"] is True
    assert files.webhook.exists()

    moved.endpoints = ("aws-iam",)
    # The control plane has yet to render what the relation gave it.
    assert moved.hook().message == "waiting for kubernetes-control-plane to use the webhook"
    assert moved.published()["webhook_status"] is True


def test_given_both_relations_change_at_once_when_the_former_ends_first_then_the_unit_stays(
    deployed: Model, api: FakeCluster
):
    """Juju lists the new relation in that hook. After a restart of the agent, it has had no
    relation-created."""
    before = set(api.objects)
    deployed.endpoints = BOTH
    deployed.hook(deployed.broken("aws-iam"))
    deployed.endpoints = ("control-plane",)
    deployed.hook(deployed.on.relation_created(deployed.relation("control-plane")))
    deployed.hook()

    assert before - set(api.objects) == set()
