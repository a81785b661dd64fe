"""The pair in use when another unit leads, where the provider signs per unit, as vault does."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from tests.fakes import at_rest
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import pem


@pytest.fixture
def vault() -> Easyrsa:
    return Easyrsa(root(), name="vault", per_unit=True)


@pytest.fixture
def two(vault: Easyrsa, api: FakeCluster, machines: list[Files]) -> Model:
    model = Model(vault, machines, units=2)
    at_rest.settle(model, api)
    return model


def lead(two: Model, unit: int) -> None:
    two.leader = unit
    two.settle()
    assert two.hook(unit=unit).name == "active"


def answer_to(two: Model, unit: int) -> str:
    """The certificate that the provider answers a unit with."""
    (reply,) = json.loads(two._answer[1][f"aws-iam_{unit}.processed_requests"]).values()
    return pem.ca_bundle(reply["cert"])


def test_given_leaders_in_turn_when_settled_then_the_pair_and_the_pods_stay(
    two: Model, api: FakeCluster
):
    before = api.secret("cert.pem")
    api.forget()
    for unit in (1, 0, 1):
        lead(two, unit)

    assert answer_to(two, 1) != answer_to(two, 0) == before
    assert api.secret("cert.pem") == before
    assert not [change for change in api.changes if "certs" in str(change)]
    # Only the leader asks.
    assert [bool(unit.certificates.get("cert_requests")) for unit in two.units] == [False, True]


def test_given_a_reissue_while_another_led_when_it_leads_again_then_the_pair_in_use_stays(
    two: Model, vault: Easyrsa, api: FakeCluster
):
    before = api.secret("cert.pem")
    lead(two, 1)
    lead(two, 0)
    vault.reissue_for("aws-iam_1")
    lead(two, 1)

    assert api.secret("cert.pem") == before


def test_given_another_leader_when_its_pair_is_reissued_then_the_new_one_is_served(
    two: Model, vault: Easyrsa, api: FakeCluster
):
    before = api.secret("cert.pem")
    lead(two, 1)
    for _ in range(2):
        vault.reissue_for("aws-iam_1")
        two.settle()
        assert two.hook(unit=1).name == "active"
        assert api.secret("cert.pem") == answer_to(two, 1) != before
        before = api.secret("cert.pem")


def test_given_a_reissue_that_the_former_leader_has_not_served_then_the_next_serves_its_own(
    two: Model, vault: Easyrsa, api: FakeCluster
):
    before = api.secret("cert.pem")
    vault.reissue_for("aws-iam_0")
    two.answer()
    lead(two, 1)

    assert api.secret("cert.pem") == answer_to(two, 1) != before


def test_given_another_leader_when_the_authority_changes_then_its_own_pair_is_served(
    two: Model, vault: Easyrsa, api: FakeCluster
):
    lead(two, 1)
    vault.replace_authority(root("new"))
    vault.reissue_for("aws-iam_1")
    two.settle()

    assert two.hook(unit=1).name == "active"
    assert api.secret("ca.pem") == root("new").certificate
    assert api.secret("cert.pem") == answer_to(two, 1)


def test_given_another_leader_when_the_pair_in_use_nears_its_end_then_its_own_is_served(
    vault: Easyrsa, api: FakeCluster, machines: list[Files], monkeypatch: pytest.MonkeyPatch
):
    vault.days = (-300, 16)
    two = Model(vault, machines, units=2)
    two.settle()
    vault.days = (-1, 365)
    before = api.secret("cert.pem")
    lead(two, 1)
    assert api.secret("cert.pem") == before

    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=3)
    monkeypatch.setattr("certificates.relation._now", lambda: later)
    two.settle()
    assert two.hook(unit=1).name == "active"
    assert api.secret("cert.pem") == answer_to(two, 1)
