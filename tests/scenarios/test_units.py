"""Several units: one leads, the others need no cluster; what one cannot do holds up no more."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import httpx2
import ops
import pytest
from charmlibs.interfaces.tls_certificates import ProviderCapabilities
from tests.fakes import at_rest
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.declaring import ACCOUNT, Declare, entry, names
from tests.fakes.juju.model import HOOK_TOOLS, Easyrsa, Model, Silent
from tests.fakes.kubernetes.faults import ok, refusal
from tests.fakes.kubernetes.paths import (
    CONFIG,
    DEFINITION,
    DEPLOYED,
    DEPLOYMENT,
    POLICY_BINDING,
    SECRET,
)
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

FOLLOWING = ops.ActiveStatus("ready")
IMAGE = "registry.example.com/aws-iam-authenticator:v0.7.17"
DENIED = "admission webhook denied the request"


def template(api: FakeCluster) -> dict[str, Any]:
    return copy.deepcopy(api.objects[DEPLOYMENT]["spec"]["template"])


def image(api: FakeCluster) -> str:
    return template(api)["spec"]["containers"][0]["image"]


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection to the cluster fails."""
    error = AssertionError("a unit that does not lead asks the cluster")
    monkeypatch.setattr("cluster.api.connect", mock.Mock(side_effect=error))


def test_given_a_unit_that_does_not_lead_when_the_leader_serves_then_it_hands_over_by_itself(
    two: Model, machines: list[Files], no_cluster: None
):
    file = machines[1].webhook.read_text()
    for key, value in (("address", ""), ("ca", ""), ("ca", "}")):
        with mock.patch.dict(two.peer, {key: value}):
            two.hook(unit=1)
        assert machines[1].webhook.read_text() == file

    # A unit that begins anew.
    machines[1].webhook.unlink()
    two.units[1].webhook.clear()
    two.units[1].stored = frozenset()
    assert two.hook(unit=1) == FOLLOWING
    assert machines[1].webhook.read_text() == machines[0].webhook.read_text() == file
    assert two.published(1) == two.published(0)


@pytest.mark.usefixtures("no_cluster")
def test_given_a_leader_that_has_not_deployed_when_another_units_hook_runs_then_it_waits(
    easyrsa: Easyrsa, machines: list[Files]
):
    model = Model(easyrsa, machines, units=2)

    line = "waiting for the leader to deploy the authenticator"
    assert model.hook(unit=1) == ops.WaitingStatus(line)
    assert not machines[1].webhook.exists()
    assert model.units[1].webhook == {}


@pytest.mark.parametrize("leaders", [(1,), (1, 0)], ids=["another", "the first again"])
def test_given_another_leader_when_it_settles_then_all_else_is_as_it_was(
    two: Model, machines: list[Files], leaders: tuple[int, ...]
):
    assert two.status == two.units[0].status
    peer, file = dict(two.peer), machines[0].webhook.read_text()
    published = two.published(0)
    for leader in leaders:
        two.leader = leader
        two.settle()

    leading, other = two.units[leaders[-1]], two.units[1 - leaders[-1]]
    assert two.peer == peer
    assert two.status == leading.status
    assert leading.status.message.startswith("2/2 pods, ")
    assert other.status == FOLLOWING
    assert [unit.version for unit in two.units] == ["v0.7.18", "v0.7.18"]
    assert json.loads(leading.certificates["cert_requests"])
    assert machines[0].webhook.read_text() == file
    assert two.published(0) == two.published(1) == published


def test_given_a_leader_that_loses_leadership_while_it_waits_for_pods_then_its_hook_ends_waiting(
    model: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    refuse = mock.Mock(side_effect=ops.RelationDataAccessError("aws-iam/0 is not leader"))

    def lose_leadership(_: httpx2.Request) -> httpx2.Response:
        monkeypatch.setattr(ops.RelationDataContent, "update", refuse)
        return ok(api.objects[DEPLOYMENT])

    model.answer()
    model.hook()
    model.answer()
    api.fail(lose_leadership, request=f"GET {DEPLOYMENT}", nth=3)

    assert model.hook() == ops.WaitingStatus("waiting for the new leader")
    assert "serving" not in model.peer


def test_given_units_that_all_went_when_others_come_then_nothing_of_before_is_published(
    two: Model, api: FakeCluster, machines: list[Files]
):
    before = dict(two.peer)
    api.clear()
    for machine, unit in zip(machines, two.units, strict=True):
        machine.webhook.unlink()
        unit.webhook.clear()
    two.peer["inherited"] = "true"
    two.first_relation += 1
    two.provider = Silent()
    two.settle()

    assert [machine.webhook.exists() for machine in machines] == [False, False]
    assert [unit.webhook for unit in two.units] == [{}, {}]
    assert {"serving", "ca"}.isdisjoint(two.peer)
    # The reactive charm's leader data is still there to be removed.
    kept = {key: before[key] for key in ("cluster-id", "address")} | {"inherited": "true"}
    assert kept.items() <= two.peer.items()


# A unit that waits, or that a person must help.


@pytest.mark.usefixtures("api")
def test_given_an_option_that_cannot_work_when_a_control_plane_is_added_then_people_log_in_there(
    easyrsa: Easyrsa, machines: list[Files]
):
    model = Model(easyrsa, machines, units=1)
    model.settle()
    model.config = {"replicas": 0}
    model.hook()
    model.add_unit()

    assert model.hook(unit=1).name == "blocked"
    assert machines[1].webhook.exists()
    assert model.published(1)["webhook_status"] is True


@pytest.mark.parametrize("status", ["blocked", "waiting"])
def test_given_a_unit_that_cannot_go_on_when_its_file_is_lost_then_it_is_there_again(
    two: Model, machines: list[Files], status: str
):
    """An API server may be down because the file that its flag names is not there."""
    two.config = {"replicas": 0} if status == "blocked" else {}
    for number, machine in enumerate(machines):
        machine.webhook.unlink()
        if status == "waiting":
            two.units[number].control_plane["api_server_state"] = "false"

        assert two.hook(unit=number).name == status
        assert machine.webhook.exists()


@pytest.mark.parametrize("name", ["webhook", "leftover"])
def test_given_a_file_of_the_leaders_machine_in_the_way_when_a_hook_runs_then_the_rest_goes_on(
    two: Model, api: FakeCluster, machines: list[Files], name: str
):
    path = machines[0].webhook if name == "webhook" else machines[0].leftovers[0]
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)
    two.config = {"image": IMAGE, "mappings": json.dumps([entry("dev")])}

    assert two.hook().message.endswith("Is a directory; repair the machine")
    assert image(api) == IMAGE
    assert names(api) == ["dev"]


def test_given_no_authority_or_a_secret_backend_that_is_down_then_the_rest_goes_on(
    model: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    model.provider = provider = SelfSigned()
    at_rest.settle(model, api)
    # A change of the provider's data has the unit read its answer again.
    provider.capabilities = ProviderCapabilities(supports_ip_sans=True)
    model.answer()
    model.config = {"image": IMAGE}

    @contextlib.contextmanager
    def sealed(tool: str) -> Iterator[None]:
        if tool == "secret-get":
            raise ops.ModelError("ERROR cannot access secret backend: vault is sealed")
        yield

    monkeypatch.setattr(HOOK_TOOLS, "around", sealed)
    assert "vault is sealed" in model.hook().message
    assert image(api) == IMAGE

    model.provider, model.config = None, {"image": f"{IMAGE}-2"}
    assert model.hook(model.on.config_changed()).name == "blocked"
    assert image(api) == f"{IMAGE}-2"


# An object that the cluster refuses keeps nothing else from going on.


@pytest.mark.parametrize(
    "request_", [f"PATCH {POLICY_BINDING}", f"GET {RBAC}/clusterrolebindings"]
)
def test_given_a_request_that_is_refused_when_a_certificate_is_renewed_then_it_is_served(
    deployed: Model, declare: Declare, easyrsa: Easyrsa, api: FakeCluster, request_: str
):
    declare(entry("dev", access=[{"role": "view"}]))
    deployed.config |= {"mapping-policy": "warn"}
    before = api.secret("cert.pem")
    api.fail(refusal(403, DENIED), request=request_)
    easyrsa.reissue()
    deployed.settle()

    assert deployed.hook().name == "blocked"
    assert api.secret("cert.pem") != before


def test_given_a_crd_that_the_cluster_refuses_when_an_entry_leaves_then_its_mapping_goes(
    declare: Declare, api: FakeCluster
):
    other = entry("other", f"{ACCOUNT}:role/other")
    declare(entry("dev"), other)
    api.objects[DEFINITION]["spec"]["versions"][0]["additionalPrinterColumns"] = []
    api.fail(refusal(403, DENIED), request=f"PATCH {DEFINITION}")

    assert DENIED in declare(other).message
    assert names(api) == ["other"]


@pytest.mark.parametrize("path", DEPLOYED)
def test_given_an_object_that_is_refused_then_it_is_named_and_the_others_are_applied(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, path: str
):
    api.unlabel()
    before = template(api)
    deployed.config = {"image": IMAGE}
    api.fail(refusal(403, DENIED), request=f"PATCH {path}")
    easyrsa.reissue()
    deployed.settle()

    message = deployed.hook().message
    assert message.startswith("the cluster rejects ")
    assert f"{path.rpartition('/')[2]}: '{DENIED}'" in message
    needs = {DEPLOYMENT} if path in (CONFIG, SECRET) else set[str]()
    applied = {each for each in DEPLOYED if "aws-iam" in api.objects[each]["metadata"]["labels"]}
    assert applied == {*DEPLOYED} - {path} - needs
    assert (template(api) == before) is (path in (CONFIG, SECRET, DEPLOYMENT))


def test_given_a_rollout_that_is_stuck_when_the_pair_is_renewed_then_former_pods_can_restart(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster
):
    def keys() -> list[set[str]]:
        return [{*api.objects[path]["data"]} for path in (CONFIG, SECRET)]

    former = keys()
    api.start_seconds = None
    deployed.config = {"partition": "aws-cn"}
    easyrsa.reissue()
    deployed.settle()

    assert deployed.hook().name == "waiting"
    assert all(before < now for before, now in zip(former, keys(), strict=True))
    api.start_seconds = 0
    deployed.settle()
    assert isinstance(deployed.hook(), ops.ActiveStatus)
    assert [len(found) for found in keys()] == [len(found) for found in former]
    assert not any(before == now for before, now in zip(former, keys(), strict=True))
