"""An authority that signs names of one domain, and leaves other requests unanswered."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import ADDRESS, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

NAME = "aws-iam-authenticator.kube-system.svc"
OF_ONE_DOMAIN = {NAME, ADDRESS}
ALL = {*OF_ONE_DOMAIN, f"{NAME}.cluster.local"}


@pytest.fixture(autouse=True)
def _one_clock(api: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    start = dt.datetime.now(dt.timezone.utc)
    monkeypatch.setattr(
        "certificates.relation._now", lambda: start + dt.timedelta(seconds=api.clock.now)
    )


@pytest.fixture
def vault() -> SelfSigned:
    return SelfSigned(name="vault", domain=".svc")


@pytest.fixture
def waiting(vault: SelfSigned, api: FakeCluster, files: Files) -> Model:
    """At rest, and without an answer."""
    model = Model(vault, [files])
    model.settle()
    return model


@pytest.fixture
def served(waiting: Model, api: FakeCluster) -> Model:
    """At rest with a certificate for the names of that domain."""
    ring(waiting, api)
    waiting.settle()
    assert waiting.hook().name == "active"
    return waiting


def ring(model: Model, api: FakeCluster) -> None:
    """Let half a minute pass, and then the alarm ring."""
    api.clock.now += 30
    model.expire("alarm")


def asked(model: Model, vault: SelfSigned) -> list[set[str]]:
    return [csr.sans_dns | csr.sans_ip for csr in vault.requested(model.certificates)]


def certificate(api: FakeCluster) -> str:
    return base64.b64decode(api.objects[SECRET]["data"]["cert.pem"]).decode()


def test_given_silence_when_the_alarm_rings_then_the_names_of_one_domain_are_asked_for_too(
    waiting: Model, vault: SelfSigned, api: FakeCluster
):
    assert asked(waiting, vault) == [ALL]
    assert waiting.hook().message == "waiting for a certificate from vault"

    ring(waiting, api)

    assert asked(waiting, vault) == [ALL, OF_ONE_DOMAIN]
    assert not waiting.units[0].alarms


def test_given_an_answer_for_one_domain_when_settled_then_it_is_served_and_no_more_is_asked_for(
    served: Model, vault: SelfSigned, api: FakeCluster
):
    assert asked(served, vault) == [OF_ONE_DOMAIN]
    bags, before = served.bags(), certificate(api)
    api.forget()

    assert served.hook().name == "active"
    assert (served.bags(), certificate(api)) == (bags, before)
    assert api.changes == []


def test_given_a_certificate_for_one_domain_when_it_is_renewed_then_it_is_for_that_again(
    served: Model, vault: SelfSigned, api: FakeCluster
):
    before = certificate(api)
    served.expire("-certificate-")
    served.settle()

    assert asked(served, vault) == [OF_ONE_DOMAIN]
    assert served.hook().name == "active"
    assert certificate(api) != before


def test_given_another_leader_when_it_settles_then_the_certificate_for_one_domain_stays(
    vault: SelfSigned, api: FakeCluster, machines: list[Files]
):
    model = Model(vault, machines, units=2)
    model.settle()
    ring(model, api)
    model.settle()
    before = dict(model.certificates), certificate(api)

    model.leader = 1
    model.settle()

    assert (dict(model.certificates), certificate(api)) == before
    assert [unit.status.name for unit in model.units] == ["active", "active"]


def test_given_another_leader_when_both_requests_are_pending_then_both_stay(
    vault: SelfSigned, api: FakeCluster, machines: list[Files]
):
    vault.silent = True
    model = Model(vault, machines, units=2)
    model.settle()
    ring(model, api)

    model.leader = 1
    model.settle()

    assert asked(model, vault) == [ALL, OF_ONE_DOMAIN]


def test_given_a_silent_authority_that_signs_all_names_when_it_answers_then_all_are_served(
    waiting: Model, vault: SelfSigned, api: FakeCluster
):
    ring(waiting, api)
    vault.domain = ""
    waiting.settle()

    assert asked(waiting, vault) == [ALL]
    assert waiting.hook().name == "active"


def test_given_all_names_when_the_authority_turns_silent_then_the_certificate_and_request_stay(
    waiting: Model, vault: SelfSigned, api: FakeCluster
):
    vault.domain = ""
    waiting.settle()
    before = dict(waiting.certificates), certificate(api)

    vault.domain = ".svc"
    for _ in range(3):
        api.clock.now += 60
        assert waiting.hook().name == "active"

    assert (dict(waiting.certificates), certificate(api)) == before


def test_given_a_new_address_when_one_domain_is_signed_then_a_certificate_for_it_comes(
    served: Model, vault: SelfSigned, api: FakeCluster
):
    before = certificate(api)
    api.taken_addresses.add(ADDRESS)
    api.objects[SERVICE]["spec"]["clusterIP"] = "10.152.183.99"
    served.settle()
    assert certificate(api) == before

    ring(served, api)
    served.settle()

    assert asked(served, vault) == [{NAME, "10.152.183.99"}]
    assert served.hook().name == "active"
    assert certificate(api) != before
