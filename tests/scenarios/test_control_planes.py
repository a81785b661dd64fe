"""The control plane of a unit: which charms are one, how each kind gets its webhook, and how a
unit moves from the relation of Charmed Kubernetes <= 1.28 to the option of >= 1.29."""

from __future__ import annotations

import ops
import pytest
import yaml
from tests.fakes import alarms, at_rest
from tests.fakes.acting import ROLE
from tests.fakes.certificates.authority import root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.fixtures import Goals
from tests.fakes.juju.model import Easyrsa, Model, Provider
from tests.fakes.kubernetes.faults import REFUSALS, answer
from tests.fakes.kubernetes.paths import ADDRESS, DEPLOYMENT, MAPPINGS, SERVICE
from tests.fakes.kubernetes.rbac import REVIEWS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered

CHARM = "kubernetes-control-plane"
URL = f"https://{ADDRESS}:443/authenticate"
COMMAND = f"run: juju config {CHARM} authn-webhook-endpoint={URL}"
SET = f"webhook not set; {COMMAND}"
BOTH = ("aws-iam", "control-plane")


def render(files: Files, *, given: str = "", option: str = "") -> None:
    """As both kinds of control plane render what the relation and the option gave them."""
    files.auth_webhook.write_text(f"AWS_IAM_ENDPOINT = '{given}'\n{rendered(option)}")


# Which charms are one, under whatever application name.


@pytest.fixture
def under(easyrsa: Easyrsa, api: FakeCluster, files: Files) -> Model:
    """Attached through juju-info to an application with the name k8s."""
    return Model(easyrsa, [files], endpoints=("control-plane",), principal="k8s")


def unpack(files: Files, name: str) -> None:
    """Have Juju unpack the principal's charm, whose metadata has this line for its name."""
    metadata = files.machine.charm_metadata("k8s/0")
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"summary: a charm\n{name}\nsubordinate: false\n")


@pytest.mark.parametrize("name", ["name: k8s", "name: 'kubernetes-worker'", 'name: "ubuntu"'])
def test_given_another_charm_then_the_unit_says_so_and_leaves_the_cluster_alone(
    under: Model, api: FakeCluster, files: Files, name: str
):
    unpack(files, name)
    api.put(DEPLOYMENT, {})
    before = set(api.objects)

    assert under.hook() == ops.BlockedStatus(
        "not a kubernetes-control-plane; run: "
        "juju remove-relation aws-iam:control-plane k8s:juju-info"
    )
    under.hook(under.broken("control-plane"))
    under.hook(under.on.remove())
    assert (api.seen, set(api.objects)) == ([], before)


@pytest.mark.parametrize(
    ("name", "is_fork"),
    [
        *((name, False) for name in (f"name: {CHARM}", f'name: "{CHARM}"', "", "named: k8s")),
        *(("name: kubernetes-master", False), ("name: our-control-plane", True)),
    ],
)
def test_given_a_control_plane_of_any_application_name_when_hooks_run_then_the_unit_deploys(
    under: Model, api: FakeCluster, files: Files, name: str, is_fork: bool
):
    unpack(files, name)
    if is_fork:
        render(files)
    under.settle()

    assert DEPLOYMENT in api.objects
    assert under.hook().message.startswith(
        "webhook not set; run: juju config k8s authn-webhook-endpoint=https://"
    )
    allowed = answer(201, b'{"spec": {}, "status": {"allowed": true}}')
    api.fail(allowed, request=f"POST {REVIEWS}")
    warning = under.action("list-mappings")["warning"]
    assert warning.endswith("run: juju config k8s authorization-mode=RBAC,Node")


def test_given_no_control_plane_when_a_hook_runs_then_the_command_that_brings_one_is_said(
    model: Model, api: FakeCluster
):
    model.endpoints = ()

    command = f"juju integrate aws-iam:control-plane {CHARM}:juju-info"
    assert model.hook() == ops.BlockedStatus(f"no control plane; run: {command}")


@pytest.mark.parametrize("answers", [True, False])
def test_given_a_relation_that_may_be_about_to_come_when_a_unit_begins_then_it_waits(
    easyrsa: Easyrsa,
    files: Files,
    goals: Goals,
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,
):
    def fails() -> None:
        raise ops.hookcmds.Error(returncode=1, cmd=["goal-state"], stderr="ERROR no")

    goals("aws-iam")
    if not answers:
        monkeypatch.setattr(ops.hookcmds, "goal_state", fails)
    model = Model(easyrsa, [files], endpoints=())

    assert model.hook(model.on.install()) == ops.WaitingStatus(f"waiting for {CHARM} to join")


@pytest.mark.parametrize("lists_all", [False, True], ids=["3.6", "4.0"])
@pytest.mark.parametrize(
    ("endpoint", "theirs"), [("aws-iam", "aws-iam"), ("control-plane", "juju-info")]
)
def test_given_the_control_plane_of_a_second_cluster_then_its_relation_is_to_go(
    easyrsa: Easyrsa,
    api: FakeCluster,
    machines: list[Files],
    goals: Goals,
    endpoint: str,
    theirs: str,
    lists_all: bool,
):
    """Juju lists for each unit the relation with its own principal, and 4.0 the other one too for
    a unit that comes later."""
    model = Model(easyrsa, machines, endpoints=(endpoint,), units=1)
    model.settle()
    model.principals, model.lists_all = {1: "other"}, lists_all
    goals(endpoint, {f"{CHARM}/0": "active", "other/1": "active"})
    model.add_unit()
    model.hook(unit=1)
    model.hook()

    line = f"two control planes; run: juju remove-relation aws-iam:{endpoint} other:{theirs}"
    before = dict(model.peer)
    model.leader = 1
    assert model.hook(model.on.leader_elected(), unit=1).message == line
    assert model.peer == before
    assert not machines[1].webhook.exists()
    model.hook(model.broken(endpoint, unit=1), unit=1)
    assert model.units[1].status.message == "waiting for Juju to remove this unit"


# Charmed Kubernetes <= 1.28: it renders what the relation gave it, in its own time.


@pytest.mark.parametrize("before", ["", "https://10.152.183.99:443/authenticate"])
def test_given_a_control_plane_that_has_not_rendered_the_webhook_then_it_is_waited_for(
    deployed: Model, api: FakeCluster, files: Files, before: str
):
    render(files, given=before)

    assert deployed.hook() == ops.WaitingStatus(f"waiting for {CHARM} to use the webhook")
    # No event announces what the control plane renders.
    assert alarms.rings(deployed, api) == [pytest.approx(10, abs=0.001)]

    render(files, given=URL)
    assert deployed.hook().name == "active"
    assert alarms.rings(deployed, api) == []


# Charmed Kubernetes >= 1.29: an option that only people can set.


@pytest.mark.parametrize("unit", [0, 1])
def test_given_an_option_then_each_unit_says_the_command_and_waits_if_it_is_emptied(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files], unit: int
):
    model = Model(easyrsa, machines, units=2, endpoints=("control-plane",))
    at_rest.settle(model, api)
    for text in (b"\xff\xfe", rendered("").encode()):
        machines[unit].auth_webhook.write_bytes(text)
        assert model.hook(unit=unit) == ops.BlockedStatus(SET)
    render(machines[unit], option="https://me:secret@login.example.com/check?token=secret#secret")
    another = ops.BlockedStatus(f"another webhook is set; if unused, {COMMAND}")
    assert model.hook(unit=unit) == another

    render(machines[unit], option=URL)
    assert model.hook(unit=unit).name == "active"

    # As one does ahead of a removal. Juju 4 would leave out the last hooks of a blocked unit.
    render(machines[unit])
    assert model.hook(unit=unit) == ops.WaitingStatus(SET)


def test_given_pods_that_do_not_serve_when_a_hook_runs_then_nobody_is_sent_to_them(
    easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    api.start_seconds = None
    model = Model(easyrsa, [files], endpoints=("control-plane",))
    model.settle()

    assert model.hook().message == "waiting for the authenticator's pods, 0/2 updated pods ready"


# From the one to the other under a running charm: both endpoints lead to one control plane
# meanwhile, and nothing that people log in by changes.

NEXT = "2/2 pods, 0 mappings, next for Charmed Kubernetes 1.29: "
LEAVE = (
    "relation aws-iam no longer needed; run: juju remove-relation aws-iam:aws-iam "
    "kubernetes-control-plane:aws-iam"
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


def test_given_both_relations_when_hooks_run_then_all_that_people_log_in_by_stays(
    both: Model, api: FakeCluster, files: Files
):
    file, published, peer = files.webhook.read_text(), both.published(), dict(both.peer)
    assert both.hook() == ops.ActiveStatus(NEXT + SET)
    render(files, given=URL, option=URL)
    both.hook()

    assert api.changes == []
    assert files.webhook.read_text() == file
    assert (both.published(), published["webhook_status"]) == (published, True)
    assert both.peer == peer


def test_given_a_duplicate_too_when_a_hook_runs_then_the_line_has_one_command_at_its_end(
    both: Model, api: FakeCluster
):
    both.config = {"mappings": f"[{{arn: '{ROLE}', username: dev}}]"}
    api.add_mapping("copy", ROLE, ROLE)

    line = both.hook(both.on.config_changed()).message

    assert line.endswith("; run: kubectl delete iamidentitymapping copy")
    assert line.count("run: ") == 1
    api.delete(f"{MAPPINGS}/copy")
    assert both.hook().message.endswith(SET)


def test_given_a_unit_that_does_not_lead_when_it_changes_over_then_it_says_the_same_steps(
    two: Model, machines: list[Files]
):
    render(machines[1], given=URL)
    two.endpoints = BOTH
    two.settle()

    assert two.hook(unit=1) == ops.ActiveStatus(f"ready, next for Charmed Kubernetes 1.29: {SET}")
    assert two.units[1].alarms


def test_given_an_api_that_is_down_when_the_unit_changes_over_then_it_forgets_nothing(
    deployed: Model, api: FakeCluster, files: Files
):
    file, known = files.webhook.read_text(), {**deployed.peer, "relation": ""}
    api.fail(REFUSALS["503"])
    files.webhook.unlink()

    for endpoints in (BOTH, ("control-plane",)):
        deployed.endpoints = endpoints
        deployed.hook()
        assert files.webhook.read_text() == file
        assert {**deployed.peer, "relation": ""} == known


def test_given_the_relation_is_gone_then_nothing_changed_and_the_file_stays_while_it_may_be_used(
    moved: Model, api: FakeCluster, files: Files
):
    known = {key: moved.peer[key] for key in ("cluster-id", "address", "ca", "serving")}
    ours = files.webhook.read_text()
    theirs = ours.replace("aws-iam of model k8s", "other of model k8s")
    files.auth_webhook.unlink()
    moved.hook()
    render(files, given=URL, option=URL)
    moved.hook()
    assert files.webhook.read_text() == ours
    files.webhook.write_text(theirs)
    render(files, option=URL)
    moved.hook()
    assert files.webhook.read_text() == theirs

    files.webhook.write_text(ours)
    assert moved.hook() == ops.ActiveStatus("2/2 pods, 0 mappings")
    assert not files.webhook.exists()
    assert {key: moved.peer[key] for key in known} == known
    assert known["serving"] == "true"
    assert api.changes == moved.units[0].alarms == []


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
    assert moved.hook().message == f"waiting for {CHARM} to use the webhook"
    assert moved.published()["webhook_status"] is True


DYING = {f"{CHARM}/0": "dying", f"{CHARM}/1": "active"}


@pytest.mark.usefixtures("departing")
def test_given_both_relations_when_the_control_plane_goes_then_no_later_answer_deletes_the_cluster(
    both: Model, api: FakeCluster, goals: Goals
):
    goals("control-plane", DYING)
    both.hook(both.on.relation_departed(both.relation("aws-iam")))
    goals()
    both.hook(both.broken("aws-iam"))
    both.endpoints = ("control-plane",)
    both.hook(both.broken("control-plane"))
    both.hook(both.on.stop())

    assert api.changes == []


@pytest.mark.usefixtures("departing")
@pytest.mark.parametrize("endpoint", ["certificates", "control-plane", "peers"])
def test_given_a_unit_that_changed_over_when_its_control_plane_goes_then_the_cluster_stays(
    moved: Model, api: FakeCluster, goals: Goals, endpoint: str
):
    """Juju may end any of its relations first. What it said of the former one was of that."""
    goals("control-plane", DYING)
    api.forget()
    remote = {"remote_unit": 1} if endpoint == "peers" else {}

    moved.hook(moved.on.relation_departed(moved.relation(endpoint), **remote))

    assert moved.units[0].status.message == "waiting for Juju to remove this unit"
    assert api.changes == []


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


# A cluster whose Services have IPv6 addresses.

IPV6 = "fd00:10:96::1:20"
IPV6_URL = f"https://[{IPV6}]:443/authenticate"


@pytest.mark.parametrize("provider", [Easyrsa(root()), SelfSigned()], ids=["old", "new"])
@pytest.mark.parametrize("is_dual", [False, True])
def test_given_an_ipv6_service_then_the_relation_has_its_url_and_both_families_stay(
    api: FakeCluster, files: Files, provider: Provider, is_dual: bool
):
    api.free_addresses = [IPV6]
    families = {"ipFamilies": ["IPv6", "IPv4"], "clusterIPs": [IPV6, ADDRESS]}
    if is_dual:
        api.put(SERVICE, {"spec": {"clusterIP": IPV6, **families}})
    model = Model(provider, [files])
    model.settle()

    assert model.hook() == ops.ActiveStatus("2/2 pods, 0 mappings")
    written = yaml.safe_load(files.webhook.read_text())
    assert written["clusters"][0]["cluster"]["server"] == IPV6_URL
    if is_dual:
        assert families.items() <= api.objects[SERVICE]["spec"].items()


def test_given_an_ipv6_service_then_the_option_is_to_have_its_url_in_brackets(
    easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    api.free_addresses = [IPV6]
    model = Model(easyrsa, [files], endpoints=("control-plane",))
    model.settle()
    assert model.hook() == ops.BlockedStatus(SET.replace(URL, IPV6_URL))

    render(files, option=IPV6_URL)

    assert model.hook().name == "active"
