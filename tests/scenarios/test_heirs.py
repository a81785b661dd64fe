"""An owner whose Service is gone, or that is gone: a bystander changes nothing, and an heir takes
all over.
"""

from __future__ import annotations

import pytest
from tests.fakes import alarms
from tests.fakes.acting import grant, refused
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import DEFINED, MAPPINGS, SERVICE
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files
from tests.fakes.owners import mark

ARN, OTHER = (f"arn:aws:iam::111122223333:role/{name}" for name in ("dev", "other"))
DECLARED = f"- {{arn: '{ARN}', username: dev, groups: [view]}}\n"


@pytest.fixture
def second(deployed: Model, easyrsa: Easyrsa, files: Files) -> Model:
    return Model(easyrsa, [files], application="second")


def mappings(api: FakeCluster) -> list[str]:
    return [path for path in api.objects if path.startswith(f"{MAPPINGS}/")]


@pytest.fixture
def declared(deployed: Model, second: Model, api: FakeCluster) -> list[str]:
    """The mappings that the owner declares, beside a bystander."""
    deployed.config = {"mappings": DECLARED}
    deployed.settle()
    second.settle()
    assert mappings(api)
    return mappings(api)


@pytest.mark.parametrize("how", ["gone", "unmarked"])
def test_given_an_owner_whose_service_is_gone_when_a_bystander_is_removed_then_access_stays(
    declared: list[str], second: Model, api: FakeCluster, how: str
):
    if how == "gone":
        api.delete(SERVICE)
    else:
        mark(api, SERVICE, None)

    second.hook(second.on.remove())

    assert mappings(api) == declared


def test_given_an_owner_whose_service_is_gone_when_a_bystanders_hook_runs_then_it_changes_nothing(
    declared: list[str], deployed: Model, second: Model, api: FakeCluster
):
    api.delete(SERVICE)
    api.forget()

    second.hook()

    assert api.changes == []
    assert mappings(api) == declared
    assert deployed.hook().name == "active"


@pytest.fixture
def _roles(api: FakeCluster) -> None:
    for name in ("view", "admin"):
        api.add_role(name, "get")


def roles(api: FakeCluster, arn: str) -> list[str]:
    mine = [api.objects[path]["spec"] for path in mappings(api)]
    groups = [group for spec in mine if spec["arn"] == arn for group in spec["groups"]]
    return sorted(
        each["roleRef"]["name"]
        for path, each in api.objects.items()
        if path.startswith(RBAC)
        and any(subject["name"] in groups for subject in each.get("subjects") or ())
    )


@pytest.mark.usefixtures("_roles")
def test_given_an_heir_by_the_statuss_command_when_a_grant_ended_then_nobody_inherits_its_role(
    deployed: Model, second: Model, api: FakeCluster
):
    grant(deployed, arn=ARN, role="admin", for_="30m")
    mark(api, SERVICE, None)
    second.settle()
    assert second.hook().message == "2/2 pods, 1 mapping"
    api.clock.now += 1900
    second.hook()

    grant(second, arn=ARN, role="view", for_="30m")

    assert roles(api, ARN) == ["view"]


@pytest.mark.usefixtures("_roles")
def test_given_an_heir_when_it_is_removed_then_nothing_of_its_predecessor_is_left(
    deployed: Model, second: Model, api: FakeCluster
):
    grant(deployed, arn=ARN, role="admin")
    mark(api, SERVICE, None)
    second.settle()

    second.hook(second.on.remove())

    assert [path for path in api.objects if "/clusterroles/" not in path] == [*DEFINED]


@pytest.mark.usefixtures("_roles")
def test_given_a_bystander_when_it_grants_or_revokes_access_then_that_is_refused(
    declared: list[str], second: Model, api: FakeCluster
):
    assert "owned by" in refused(second.action, "revoke-access", arn=ARN)
    assert "owned by" in refused(grant, second, arn=ARN, role="admin", for_="30m")
    api.delete(SERVICE)
    assert "owned by" in refused(grant, second, arn=ARN, role="admin", for_="30m")

    assert mappings(api) == declared


def test_given_a_removal_that_could_not_read_mappings_at_first_when_others_wait_then_its_grants_go(
    deployed: Model, second: Model, api: FakeCluster
):
    grant(deployed, arn=ARN, groups="system:masters")
    second.settle()
    api.fail(refusal(500, "etcdserver: no leader"), request=f"GET {MAPPINGS}")
    deployed.hook(deployed.on.stop())
    api.recover()
    second.hook()

    deployed.hook(deployed.on.remove())

    assert mappings(api) == []


@pytest.mark.parametrize("config", [{}, {"replicas": 0}])
def test_given_a_grant_when_another_application_has_taken_over_then_the_former_one_comes_to_rest(
    deployed: Model, api: FakeCluster, config: dict[str, int]
):
    grant(deployed, arn=ARN, for_="30m")
    deployed.hook()
    mark(api, SERVICE, "second of model k8s (1)")
    deployed.config = config
    for _ in range(3):
        assert deployed.hook().name == "blocked"
        api.clock.now += 4000

    assert deployed.hook().name == "blocked"
    assert alarms.rings(deployed, api) == []
