"""The webhook's certificate needs one name, and an authority is asked for it once."""

from __future__ import annotations

import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

NAME = "aws-iam-authenticator.kube-system.svc"
OTHER_ADDRESS = "10.152.183.99"


def asked(model: Model, provider: SelfSigned) -> list[set[str]]:
    return [csr.sans_dns | csr.sans_ip for csr in provider.requested(model.certificates)]


def settled(provider: SelfSigned | Easyrsa, files: Files) -> Model:
    model = Model(provider, [files])
    model.settle()
    return model


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param(Easyrsa(root(), one_name=NAME), id="older protocol"),
        pytest.param(SelfSigned(one_name=NAME), id="newer protocol"),
    ],
)
def test_given_an_authority_that_signs_the_one_name_alone_then_its_certificate_is_served(
    api: FakeCluster, files: Files, provider: SelfSigned | Easyrsa
):
    model = settled(provider, files)

    assert model.hook().name == "active"
    bags, before = model.bags(), api.secret("cert.pem")
    model.settle()
    assert (model.bags(), api.secret("cert.pem")) == (bags, before)


def test_given_an_authority_of_one_domain_when_asked_once_then_it_answers(
    api: FakeCluster, files: Files
):
    vault = SelfSigned(name="vault", domain=".svc")
    model = settled(vault, files)

    assert asked(model, vault) == [{NAME}]
    assert model.hook().name == "active"


def test_given_a_new_address_then_the_certificate_stays(api: FakeCluster, files: Files):
    model = settled(Easyrsa(root()), files)
    before, bag = api.secret("cert.pem"), model.units[0].certificates
    api.taken_addresses.add(ADDRESS)
    api.objects[SERVICE]["spec"]["clusterIP"] = OTHER_ADDRESS
    model.settle()

    assert model.hook().name == "active"
    assert api.secret("cert.pem") == before
    assert model.units[0].certificates == bag
    assert f"https://{OTHER_ADDRESS}:443/authenticate" in files.webhook.read_text()
