"""Several applications of this charm on one cluster: one owns all, the others wait for its end."""

from __future__ import annotations

import copy

import ops
import pytest
from tests.fakes import alarms
from tests.fakes.acting import grant, refused
from tests.fakes.declaring import DEV, Declare, entry, names
from tests.fakes.juju.model import OWNER, UUID, Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import ADDRESS, DEFINED, DEPLOYMENT, MAPPINGS, SECRET, SERVICE
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files
from tests.fakes.owners import mark, marks

from machine import webhook
from owner import Owner

GONE = Owner("gone", "old", "11111111-2222-4333-8444-555555555555")
COMMAND = "kubectl -n kube-system annotate service aws-iam-authenticator aws-iam/owner-"


def blocked_by(owner: str) -> ops.BlockedStatus:
    return ops.BlockedStatus(f"authenticator owned by '{owner}'; if gone, run: {COMMAND}")


@pytest.fixture
def second(deployed: Model, easyrsa: Easyrsa, files: Files) -> Model:
    """Another application of the same Juju model, on the machine of the first one."""
    return Model(easyrsa, [files], application="second")


def test_given_an_owner_when_another_application_comes_then_it_is_blocked_and_changes_nothing(
    deployed: Model, second: Model, api: FakeCluster, files: Files
):
    stored, file = copy.deepcopy(api.objects), files.webhook.read_text()
    assert set(marks(api).values()) == {OWNER.mark}
    assert f'"{OWNER.mark}"' in file

    second.settle()

    assert second.hook() == blocked_by("aws-iam of model k8s")
    assert (api.objects, api.changes, files.webhook.read_text()) == (stored, [], file)
    assert second.units[0].webhook == {}
    assert "cert_requests" not in second.units[0].certificates
    assert isinstance(deployed.hook(), ops.ActiveStatus)


@pytest.mark.parametrize("how", ["removed", "unmarked"])
def test_given_an_owner_that_is_gone_or_that_the_command_names_then_the_other_takes_its_place(
    two: Model, easyrsa: Easyrsa, api: FakeCluster, machines: list[Files], how: str
):
    heir = Model(easyrsa, machines, units=2, application="heir")
    heir.settle()
    if how == "removed":
        two.hook(two.on.remove())
        two.hook(two.on.remove(), unit=1)
    else:
        mark(api, SERVICE, None)
    heir.settle()

    assert [heir.hook(unit=n).name for n in (0, 1)] == ["active", "active"]
    assert set(marks(api).values()) == {f"heir of model k8s ({UUID})"}
    for machine in machines:
        assert '# Owner: "heir of model k8s' in machine.webhook.read_text()


def test_given_an_owner_of_unknown_spelling_when_a_hook_runs_then_its_status_is_short(
    deployed: Model, api: FakeCluster
):
    mark(api, SERVICE, "team-x " * 10_000)

    assert deployed.hook().message.endswith(f"team-x'; if gone, run: {COMMAND}")


def test_given_two_first_deployments_when_both_see_no_service_then_one_serves_and_one_is_blocked(
    model: Model, easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    second = Model(easyrsa, [files], application="second")
    model.hook()
    # The second application looked before the first one's apply.
    api.fail(refusal(404, "not found"), request=f"GET {SERVICE}", nth=1)
    second.hook()
    api.recover()
    for _ in range(3):
        for each in (model, second):
            each.answer()
            each.hook()

    assert [model.hook().name, second.hook().name] == ["blocked", "active"]
    applies = [
        seen for seen in api.seen if str(seen) in (f"PATCH {SECRET}", f"PATCH {DEPLOYMENT}")
    ]
    owners = {seen.body["metadata"]["annotations"]["aws-iam/owner"] for seen in applies}
    assert owners == {f"second of model k8s ({UUID})"}
    assert '# Owner: "second of model k8s' in files.webhook.read_text()


def test_given_an_owner_that_lost_its_objects_then_people_log_in_until_another_writes_the_files(
    two: Model, api: FakeCluster, machines: list[Files]
):
    published = [two.published(n) for n in (0, 1)]
    before = [machine.webhook.read_text() for machine in machines]
    mark(api, SERVICE, GONE.mark)
    two.settle()
    assert two.hook() == blocked_by("gone of model old")
    assert [machine.webhook.read_text() for machine in machines] == before
    assert [two.published(n) for n in (0, 1)] == published

    theirs = webhook.render(GONE, ADDRESS, "-")
    for machine in machines:
        machine.webhook.write_text(theirs)
        two.settle()
    two.hook(two.on.remove())
    assert [machine.webhook.read_text() for machine in machines] == [theirs, theirs]


# An owner whose Service is gone, or without its mark.


@pytest.mark.parametrize("how", ["gone", "unmarked"])
def test_given_an_owner_whose_service_is_gone_then_a_bystander_leaves_its_access_alone(
    deployed: Model, declare: Declare, second: Model, api: FakeCluster, how: str
):
    declare(entry("dev"))
    second.settle()
    assert "owned by" in refused(second.action, "revoke-access", arn=DEV)
    if how == "gone":
        api.delete(SERVICE)
        api.forget()
        second.hook()
        assert api.changes == []
        assert "owned by" in refused(grant, second, arn=DEV, role="admin", for_="30m")
    else:
        mark(api, SERVICE, None)

    second.hook(second.on.remove())

    assert names(api) == ["dev"]
    assert deployed.hook().name == "active"


def test_given_an_heir_when_a_former_grant_has_ended_then_nobody_inherits_its_role(
    deployed: Model, second: Model, api: FakeCluster
):
    for name in ("view", "admin"):
        api.add_role(name, "get")
    grant(deployed, role="admin", for_="30m")
    mark(api, SERVICE, None)
    second.settle()
    assert second.hook().message == "2/2 pods, 1 mapping"
    api.clock.now += 1900
    second.hook()

    grant(second, role="view", for_="30m")

    bound = [each for path, each in api.objects.items() if path.startswith(RBAC)]
    roles = {each["roleRef"]["name"] for each in bound if "roleRef" in each}
    assert roles & {"view", "admin"} == {"view"}
    second.hook(second.on.remove())
    assert [path for path in api.objects if "/clusterroles/" not in path] == [*DEFINED]


def test_given_a_removal_that_could_not_read_mappings_at_first_when_others_wait_then_its_grants_go(
    deployed: Model, second: Model, api: FakeCluster
):
    grant(deployed, groups="system:masters")
    second.settle()
    api.fail(refusal(500, "etcdserver: no leader"), request=f"GET {MAPPINGS}")
    deployed.hook(deployed.on.stop())
    api.recover()
    second.hook()

    deployed.hook(deployed.on.remove())

    assert names(api) == []


@pytest.mark.parametrize("config", [{}, {"replicas": 0}])
def test_given_a_grant_when_another_application_has_taken_over_then_the_former_one_comes_to_rest(
    deployed: Model, api: FakeCluster, config: dict[str, int]
):
    grant(deployed, for_="30m")
    deployed.hook()
    mark(api, SERVICE, "second of model k8s (1)")
    deployed.config = config
    for _ in range(4):
        assert deployed.hook().name == "blocked"
        api.clock.now += 4000

    assert alarms.rings(deployed, api) == []
