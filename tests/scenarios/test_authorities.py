"""What an authority gives, by either protocol: a pair for the one name that the webhook needs.

Of a new authority, old and new are trusted until every pod serves with the new one.
"""

from __future__ import annotations

import base64
import json

import ops
import pytest
import yaml
from tests.fakes import at_rest
from tests.fakes.certificates.authority import Authority, root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS, DEPLOYMENT, PODS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import SERVER_NAME, ca_bundle, certificates

OLD, NEW = root().certificate, root("new").certificate
BOTH = ca_bundle(OLD, NEW)
OTHER_ADDRESS = "10.152.183.99"


def trusted(machines: list[Files]) -> list[str]:
    """What each unit's control plane trusts."""
    configs = [yaml.safe_load(machine.webhook.read_text()) for machine in machines]
    data = [config["clusters"][0]["cluster"]["certificate-authority-data"] for config in configs]
    return [base64.b64decode(text).decode() for text in data]


def test_given_two_units_when_the_authority_changes_then_both_are_trusted_until_pods_serve_it(
    two: Model, api: FakeCluster, machines: list[Files]
):
    two.provider = Easyrsa(root("new"))
    two.answer()
    api.start_seconds = None
    two.hook(two.changed("certificates"))
    assert api.secret("ca.pem") == NEW
    assert two.peer["ca"] == BOTH
    assert trusted(machines) == [BOTH, OLD]

    two.settle()
    assert isinstance(two.hook(), ops.WaitingStatus)
    assert (two.peer["ca"], trusted(machines)) == (BOTH, [BOTH] * 2)

    # A pod of the old authority that is ending serves on.
    api.add_pod("ending")
    api.start_seconds = 2
    two.settle()
    assert trusted(machines) == [BOTH] * 2

    api.delete(f"{PODS}/ending")
    two.hook()
    two.settle()
    assert [unit.status.name for unit in two.units] == ["active", "active"]
    assert (two.peer["ca"], trusted(machines)) == (NEW, [NEW] * 2)


def test_given_a_new_leaf_when_a_hook_runs_then_pods_are_replaced_and_the_file_is_not(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    before, file, published = api.secret("cert.pem"), files.webhook.stat(), deployed.published()
    pods = api.objects[DEPLOYMENT]["spec"]["template"]
    easyrsa.reissue()
    deployed.answer()

    assert isinstance(deployed.hook(deployed.changed("certificates")), ops.ActiveStatus)
    assert api.secret("cert.pem") != before
    assert api.objects[DEPLOYMENT]["spec"]["template"] != pods
    assert (files.webhook.stat(), deployed.published()) == (file, published)


@pytest.mark.parametrize(
    "provider",
    [Easyrsa(root(), one_name=SERVER_NAME), SelfSigned(one_name=SERVER_NAME)],
    ids=["older protocol", "newer protocol"],
)
def test_given_an_authority_that_signs_the_one_name_alone_then_its_certificate_is_served(
    api: FakeCluster, files: Files, provider: SelfSigned | Easyrsa
):
    model = Model(provider, [files])
    model.settle()
    assert model.hook().name == "active"
    asked, before = (model.certificates, model.units[0].certificates), api.secret("cert.pem")

    # A new address needs no other one.
    api.taken_addresses.add(ADDRESS)
    api.objects[SERVICE]["spec"]["clusterIP"] = OTHER_ADDRESS
    model.settle()

    assert model.hook().name == "active"
    assert api.secret("cert.pem") == before
    assert (model.certificates, model.units[0].certificates) == asked
    assert f"https://{OTHER_ADDRESS}:443/authenticate" in files.webhook.read_text()


def test_given_an_authority_of_one_domain_when_asked_once_then_it_answers(
    api: FakeCluster, files: Files
):
    vault = SelfSigned(name="vault", domain=".svc")
    model = Model(vault, [files])
    model.settle()

    asked = [csr.sans_dns | csr.sans_ip for csr in vault.requested(model.certificates)]
    assert asked == [{SERVER_NAME}]
    assert model.hook().name == "active"


# Certificates that can be loaded, but of which a part cannot be read afterwards. In hexadecimal
# DER: what is in a good certificate, and what is put in its place.
DAMAGES = {
    "a key of an unknown curve": ("2a8648ce3d030107", "2a8648ce3d03017f"),
    "an extension twice": ("0603551d13", "0603551d11"),
    "a general name of an unsupported kind": ("82256177732d69616d", "a3256177732d69616d"),
    "a general name that is none": ("82256177732d69616d", "a0256177732d69616d"),
    "an address that is none": ("87040a98b714", "81040a98b714"),
}


def damaged(authority: Authority, damage: str) -> tuple[str, str]:
    """A damaged certificate, and its key."""
    good, key = authority.issue([SERVER_NAME, ADDRESS])
    return authority.resign(good, *map(bytes.fromhex, DAMAGES[damage])), key


@pytest.mark.parametrize("damage", DAMAGES)
def test_given_a_malformed_certificate_of_the_older_protocol_then_the_former_stays_in_use(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, damage: str
):
    before = api.secret("cert.pem")
    certificate, key = damaged(root(), damage)
    answers = {SERVER_NAME: {"cert": certificate, "key": key}}
    easyrsa.overrides = {"aws-iam_0.processed_requests": json.dumps(answers)}
    deployed.answer()

    assert isinstance(deployed.hook(deployed.changed("certificates")), ops.WaitingStatus)
    assert api.secret("cert.pem") == before
    assert deployed.published()["webhook_status"] is True

    easyrsa.overrides = {}
    deployed.answer()
    assert deployed.hook().name == "active"


@pytest.mark.parametrize("damage", DAMAGES)
def test_given_a_malformed_certificate_of_the_newer_protocol_then_the_former_leaf_stays_in_use(
    model: Model, api: FakeCluster, damage: str
):
    model.provider = provider = SelfSigned()
    at_rest.settle(model, api)
    before = certificates(api.secret("cert.pem"))[0]
    bad, _ = damaged(root("other"), damage)
    for part in ("certificate", "ca", "chain"):
        (answer,) = json.loads(provider.answer(model.certificates, [])[0]["certificates"])
        answer[part] = [bad] if part == "chain" else bad
        provider.overrides = {"certificates": json.dumps([answer])}
        model.answer()
        for event in (model.changed("certificates"), model.on.leader_elected(), None):
            model.hook(event)
            assert certificates(api.secret("cert.pem"))[0] == before
            assert model.published()["webhook_status"] is True
        provider.overrides = {}

    model.answer()
    assert model.hook().name == "active"
