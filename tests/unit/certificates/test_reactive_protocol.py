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

from certificates import SERVER_NAME, pem, reactive_protocol, verdict
from certificates.keypair import PairRefused
from text import fingerprint

PROCESSED = "aws-iam_0.processed_requests"
OLD, NEW = {"ca": root().certificate}, {"ca": root("new").certificate}
ISSUED, OTHER = (
    dict(zip(("cert", "key"), root().issue([SERVER_NAME]), strict=True)) for _ in "ab"
)


def processed(reply: object, **others: object) -> dict[str, str]:
    """The databag of a provider that has answered the charm's name so."""
    return {PROCESSED: json.dumps({SERVER_NAME: reply, **others})}


ANSWERED = processed(ISSUED)


@pytest.mark.parametrize("marker", ["ca", "chain", "client.cert"])
def test_given_what_a_provider_publishes_before_any_request_when_read_then_it_speaks_this(
    marker: str,
):
    assert reactive_protocol.is_spoken_by([{}, {marker: "-"}])
    assert not reactive_protocol.is_spoken_by([{}, {marker: "", "egress-subnets": "10.0.0.1/32"}])


def test_given_a_request_when_written_then_its_names_are_sorted_and_the_former_form_is_empty():
    names = ["b.svc", "10.152.183.7", "a.svc"]

    assert reactive_protocol.request("aws-iam/0", SERVER_NAME, names) == {
        "unit_name": "aws-iam_0",
        "cert_requests": f'{{"{SERVER_NAME}": {{"sans": ["10.152.183.7", "a.svc", "b.svc"]}}}}',
        "common_name": "",
        "sans": "",
        "certificate_name": "",
    }


def test_given_an_authority_then_its_names_are_below_the_services_and_stay_the_same():
    unknown = [f"ca-none-{attempt}.{SERVER_NAME}" for attempt in (1, 2, 3)]
    known = [name.replace("none", fingerprint(OLD["ca"])[:8]) for name in unknown]

    assert reactive_protocol.names_for_authority([{"client.cert": "-"}]) == unknown
    assert reactive_protocol.names_for_authority([OLD]) == known
    assert reactive_protocol.names_for_authority([{}, OLD, OLD]) == known
    assert all(len(name) <= 64 for name in known)


BELOW = f"a.{SERVER_NAME}"
OTHERS = {BELOW: OTHER, "kubelet": ISSUED, f"not-{SERVER_NAME}": ISSUED}
CHAIN = {"chain": root().certificate}


@pytest.mark.parametrize(
    ("unit", "bags", "found"),
    [
        (0, [processed({"cert": "a"})], []),
        (0, [processed({"key": "b"})], []),
        (1, [ANSWERED], []),
        (0, [processed(5)], []),
        (0, [{PROCESSED: "no JSON"}, {PROCESSED: "[" * 100_000}, {PROCESSED: "5"}], []),
        (
            0,
            [OLD | processed(ISSUED, **OTHERS)],
            [(SERVER_NAME, ISSUED, OLD), (BELOW, OTHER, OLD)],
        ),
        # The units of a clustered vault share one authority; some have not published it yet.
        (0, [ANSWERED, {"client.cert": "-"}], [(SERVER_NAME, ISSUED, {"ca": ""})]),
        (0, [ANSWERED, {"client.cert": "-"}, OLD], [(SERVER_NAME, ISSUED, OLD)]),
        (0, [ANSWERED, {"client.cert": "-"}, CHAIN], [(SERVER_NAME, ISSUED, OLD)]),
        (
            0,
            [OLD | ANSWERED, NEW | ANSWERED, NEW | ANSWERED],
            [(SERVER_NAME, ISSUED, OLD), (SERVER_NAME, ISSUED, NEW)],
        ),
    ],
    ids=[
        *(
            "no key",
            "no certificate",
            "another unit's",
            "no pair",
            "no object",
        ),
        *(
            "names of others",
            "no authority yet",
            "another's authority",
            "another's chain",
            "authorities of two units",
        ),
    ],
)
def test_given_databags_when_read_then_the_charms_own_replies_come_back_each_once(
    unit: int, bags: list[dict[str, str]], found: list[tuple[str, dict[str, str], dict[str, str]]]
):
    assert reactive_protocol.replies(f"aws-iam/{unit}", bags) == [
        (name, pem.key_pair(reply["cert"], reply["key"], authority["ca"]))
        for name, reply, authority in found
    ]


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


@given(st.lists(damage.bag(OLD | ANSWERED, damage.pem), max_size=3))
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
        assert ISSUED["key"].splitlines()[1] not in said
