"""The older protocol of ``certificates``, as easyrsa and vault speak it."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import ops
import pytest
from hypothesis import given
from tests.fakes import damage
from tests.fakes.certificates.authority import Authority, root
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import pem, reactive_protocol, verdict
from certificates.keypair import PairRefused

COMMON_NAME = "aws-iam-authenticator.kube-system.svc"
HALF_A_CHARACTER = "-----BEGIN CERTIFICATE-----\n\ud800\n-----END CERTIFICATE-----"


@pytest.mark.parametrize("marker", ["ca", "chain", "client.cert"])
def test_given_what_a_provider_publishes_before_any_request_when_read_then_it_speaks_this(
    marker: str,
):
    assert reactive_protocol.is_spoken_by([{}, {marker: "-"}])
    assert not reactive_protocol.is_spoken_by([{}, {marker: "", "egress-subnets": "10.0.0.1/32"}])


def test_given_a_request_when_written_then_the_reactive_charms_form_of_it_is_emptied():
    assert reactive_protocol.request("aws-iam/0", COMMON_NAME, ["a.svc"]) == {
        "unit_name": "aws-iam_0",
        "cert_requests": f'{{"{COMMON_NAME}": {{"sans": ["a.svc"]}}}}',
        "common_name": "",
        "sans": "",
        "certificate_name": "",
    }


def processed(**reply: str) -> dict[str, str]:
    return {"aws-iam_0.processed_requests": json.dumps({COMMON_NAME: reply})}


@pytest.mark.parametrize("reply", [{"cert": "a"}, {"key": "b"}])
def test_given_half_a_reply_when_read_then_there_is_none(reply: dict[str, str]):
    assert not reactive_protocol.replies("aws-iam/0", [processed(**reply)])


@pytest.mark.parametrize("published", ["ca", "chain"])
def test_given_several_vaults_when_one_answers_then_the_authority_of_any_is_the_replies(
    published: str,
):
    certificate, key = root().issue([COMMON_NAME])
    authority = {published: root().certificate}
    bags = [processed(cert=certificate, key=key), {"client.cert": "-"}]

    [without] = reactive_protocol.replies("aws-iam/0", bags)
    [found] = reactive_protocol.replies("aws-iam/0", [*bags, authority])

    assert without.pair == pem.key_pair(certificate, key)
    assert found.pair == pem.key_pair(certificate, key, root().certificate)


def test_given_the_reply_to_another_unit_when_read_then_there_is_none():
    assert not reactive_protocol.replies("aws-iam/1", [processed(cert="a", key="b")])


def test_given_chain_and_ca_when_read_then_the_intermediate_comes_first():
    middle = Authority("middle", issuer=root())
    certificate, key = middle.issue([COMMON_NAME])
    bag = processed(cert=certificate, key=key) | {
        "ca": root().certificate,
        "chain": middle.certificate,
    }

    [found] = reactive_protocol.replies("aws-iam/0", [bag])

    assert found.pair.certificate == certificate + middle.certificate
    assert found.pair.ca == pem.ca_bundle(middle.certificate, root().certificate)


def test_given_names_in_any_order_when_requested_then_the_request_is_the_same():
    asked = reactive_protocol.request("aws-iam/0", COMMON_NAME, ["b.svc", "10.152.183.7", "a.svc"])

    [request] = json.loads(asked["cert_requests"]).values()
    assert request == {"sans": ["10.152.183.7", "a.svc", "b.svc"]}


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[" * 100_000,
        "5",
        json.dumps({COMMON_NAME: 5}),
        json.dumps({COMMON_NAME: {"cert": [5], "key": {"a": None}}}),
        json.dumps({COMMON_NAME: {"cert": HALF_A_CHARACTER, "key": "b"}}),
    ],
    ids=range(6),
)
def test_given_what_is_no_pair_when_a_hook_runs_then_it_ends_in_a_status(
    api: FakeCluster, files: Files, text: str
):
    answer = {"ca": "\0", "aws-iam_0.processed_requests": text}
    model = Model(Easyrsa(root(), overrides=answer), [files])
    model.answer()

    assert isinstance(model.hook(), ops.WaitingStatus)


def test_given_a_vault_that_is_an_intermediate_then_its_chain_counts_in_whatever_order(
    model: Model, api: FakeCluster
):
    middle = Authority("vault", issuer=root())
    vault = Easyrsa(middle, name="vault", chain=middle.certificate + root().certificate)
    model.provider = vault
    model.settle()
    assert isinstance(model.hook(), ops.ActiveStatus)
    assert api.secret("cert.pem").endswith(middle.certificate)
    trusted = model.peer["ca"]
    assert trusted == pem.ca_bundle(middle.certificate, root().certificate)

    vault.chain = root().certificate + middle.certificate
    model.settle()
    assert model.peer["ca"] == trusted


def test_given_a_private_key_when_everything_is_settled_then_the_secret_alone_has_it(
    deployed: Model, api: FakeCluster, files: Files
):
    key = api.secret("key.pem").splitlines()[1]
    unit = deployed.units[0]
    kept = [deployed.peer, deployed.certificates, unit.peer, unit.certificates, unit.webhook]

    assert key not in json.dumps(kept)
    assert key not in deployed.log()
    assert key not in str(unit.stored)
    assert key not in files.webhook.read_text()


ISSUED, KEY = root().issue([COMMON_NAME])
ANSWERED = {"ca": root().certificate, **processed(cert=ISSUED, key=KEY)}


@given(st.lists(damage.bag(ANSWERED, damage.pem), max_size=3))
def test_given_any_databags_when_read_then_they_are_pairs_whose_key_nobody_says(
    bags: list[dict[str, str]],
):
    reactive_protocol.is_spoken_by(bags)
    for name in reactive_protocol.names_for_authority(bags):
        assert name.isprintable()
    for _, pair in reactive_protocol.replies("aws-iam/0", bags):
        said = ""
        try:
            verdict.check(pair)
        except PairRefused as refused:
            said = str(refused)
        assert said.isprintable()
        assert KEY.splitlines()[1] not in said
