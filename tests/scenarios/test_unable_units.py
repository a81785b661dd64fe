"""A unit that waits, or that a person must help, goes on with all that does not depend on that."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator

import ops
import ops.testing
import pytest
from charmlibs.interfaces.tls_certificates import ProviderCapabilities
from tests.fakes import at_rest
from tests.fakes.certificates.authority import root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.collecting import config, relate
from tests.fakes.declaring import Declare, entry, names
from tests.fakes.juju.model import HOOK_TOOLS, Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import (
    CLUSTER_ROLE_BINDING,
    CONFIG,
    DEFINITION,
    DEPLOYED,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    MAPPINGS,
    POLICY_BINDING,
    SECRET,
)
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files


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


def test_given_an_api_server_that_is_down_when_the_authority_changes_then_others_go_on(
    two: Model, api: FakeCluster
):
    two.units[1].control_plane["api_server_state"] = "false"
    two.provider = Easyrsa(root("new"))
    two.answer()
    two.hook(two.changed("certificates"))
    two.hook(two.changed("peers", unit=1), unit=1)
    two.hook(two.changed("peers"))

    assert api.secret("ca.pem") == root("new").certificate


def test_given_a_former_leader_whose_api_server_is_down_then_it_has_nothing_scraped(
    two: Model, api: FakeCluster
):
    api.add_pod("a", podIP="10.1.0.2", phase="Running")
    relate(two)
    two.settle()
    assert config(two, 0)["metrics_scrape_jobs"]
    two.units[0].control_plane["api_server_state"] = "false"

    two.leader = 1
    two.hook(two.on.leader_elected(), unit=1)
    two.answer()
    two.settle()

    assert config(two, 1)["metrics_scrape_jobs"]
    assert not config(two, 0)["metrics_scrape_jobs"]


# What one machine or Juju refuses holds up nothing else: the cluster gets what is wanted.

ARN, OTHER = (f"arn:aws:iam::111122223333:role/{name}" for name in ("dev", "other"))
DECLARED = f"- {{arn: '{ARN}', username: dev, groups: [view]}}\n"
IMAGE = "registry.example.com/aws-iam-authenticator:v0.7.17"


def mappings(api: FakeCluster) -> list[str]:
    return [path for path in api.objects if path.startswith(f"{MAPPINGS}/")]


def image(api: FakeCluster) -> str:
    return api.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.parametrize("name", ["webhook", "leftover"])
def test_given_a_file_of_the_leaders_machine_in_the_way_when_a_hook_runs_then_the_rest_goes_on(
    two: Model, api: FakeCluster, machines: list[Files], name: str
):
    path = machines[0].webhook if name == "webhook" else machines[0].leftovers[0]
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)
    two.config = {"image": IMAGE, "mappings": DECLARED}

    status = two.hook()

    assert status.message.endswith("Is a directory; repair the machine")
    assert image(api) == IMAGE
    assert len(mappings(api)) == 1


def test_given_a_secret_backend_that_is_down_when_an_answer_is_read_then_the_rest_goes_on(
    api: FakeCluster, files: Files, monkeypatch: pytest.MonkeyPatch
):
    provider = SelfSigned()
    model = Model(provider, [files])
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


# An object that the cluster refuses keeps nothing else from going on.

DENIED = "admission webhook denied the request"


@pytest.mark.parametrize(
    "request_",
    [
        *(f"PATCH {POLICY_BINDING}", f"GET {RBAC}/clusterrolebindings"),
        *(f"PATCH {DISRUPTION_BUDGET}", f"PATCH {CLUSTER_ROLE_BINDING}"),
    ],
)
def test_given_a_request_that_is_refused_when_a_certificate_is_renewed_then_it_is_served(
    deployed: Model, declare: Declare, easyrsa: Easyrsa, api: FakeCluster, request_: str
):
    declare(entry("dev", access=[{"role": "view"}]))
    deployed.config |= {"mapping-policy": "warn"}
    api.delete(DISRUPTION_BUDGET)
    api.delete(CLUSTER_ROLE_BINDING)
    before = api.secret("cert.pem")
    api.fail(refusal(403, DENIED), request=request_)
    easyrsa.reissue()
    deployed.settle()

    assert deployed.hook().name == "blocked"
    assert api.secret("cert.pem") != before


def test_given_a_crd_that_the_cluster_refuses_when_an_entry_leaves_then_its_mapping_goes(
    declare: Declare, api: FakeCluster
):
    declare(entry("dev", ARN), entry("other", OTHER))
    api.objects[DEFINITION]["spec"]["versions"][0]["additionalPrinterColumns"] = []
    api.fail(refusal(403, DENIED), request=f"PATCH {DEFINITION}")

    assert DENIED in declare(entry("other", OTHER)).message
    assert names(api) == ["other"]


@pytest.mark.parametrize("path", DEPLOYED)
def test_given_an_object_that_is_refused_then_it_is_named_and_the_others_are_applied(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, path: str
):
    api.unlabel()
    before = template(api)
    deployed.config = {"image": "rocks.canonical.com/cdk/aws-iam-authenticator:v0.7.13"}
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


def template(api: FakeCluster) -> object:
    return copy.deepcopy(api.objects[DEPLOYMENT]["spec"]["template"])


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
