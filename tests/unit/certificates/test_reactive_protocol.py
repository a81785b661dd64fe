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

from certificates import SERVER_NAME, PairRefused, ca_bundle, reactive_protocol, x509

PROCESSED = "aws-iam_0.processed_requests"
OLD, NEW = {"ca": root().certificate}, {"ca": root("new").certificate}
ISSUED, OTHER = (
    dict(zip(("cert", "key"), root().issue([SERVER_NAME]), strict=True)) for _ in "ab"
)


def processed(reply: object, **others: object) -> dict[str, str]:
    """The databag of a provider that has answered the charm's name so."""
    return {PROCESSED: json.dumps({SERVER_NAME: reply, **others})}


ANSWERED = processed(ISSUED)


@pytest.mark.parametrize(
    ("unit", "bags", "found"),
    [
        (0, [processed({"cert": "a"})], []),
        (0, [processed({"key": "b"})], []),
        (1, [ANSWERED], []),
        (0, [processed(5)], []),
        (0, [{PROCESSED: "no JSON"}, {PROCESSED: "[" * 100_000}, {PROCESSED: "5"}], []),
        (0, [OLD | processed(ISSUED, other=OTHER)], [(ISSUED, OLD), (OTHER, OLD)]),
        # The units of a clustered vault share one authority; some have not published it yet.
        (0, [ANSWERED, {"client.cert": "-"}], [(ISSUED, {"ca": ""})]),
        (0, [ANSWERED, {"client.cert": "-"}, OLD], [(ISSUED, OLD)]),
        (0, [ANSWERED, {"chain": root().certificate}], [(ISSUED, OLD)]),
        (
            0,
            [OLD | ANSWERED, NEW | ANSWERED],
            [(ISSUED, {"ca": ca_bundle(OLD["ca"], NEW["ca"])})],
        ),
    ],
    ids=[
        *("no key", "no certificate", "another unit's", "no pair", "no object", "two names"),
        *("no authority yet", "another's authority", "another's chain", "two authorities"),
    ],
)
def test_given_databags_when_read_then_the_units_replies_come_back_each_once(
    unit: int, bags: list[dict[str, str]], found: list[tuple[dict[str, str], dict[str, str]]]
):
    assert [reply.pair for reply in reactive_protocol.replies(f"aws-iam/{unit}", bags)] == [
        x509.key_pair(reply["cert"], reply["key"], authority["ca"]) for reply, authority in found
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
    assert trusted == ca_bundle(middle.certificate, root().certificate)

    vault.chain = root().certificate + middle.certificate
    model.settle()
    assert model.peer["ca"] == trusted


@given(st.lists(damage.bag(OLD | ANSWERED, damage.pem), max_size=3))
def test_given_any_databags_when_read_then_they_are_pairs_whose_key_nobody_says(
    bags: list[dict[str, str]],
):
    for _, pair in reactive_protocol.replies("aws-iam/0", bags):
        said = ""
        try:
            x509.check(pair)
        except PairRefused as refused:
            said = str(refused)
        assert said.isprintable()
        assert ISSUED["key"].splitlines()[1] not in said
