"""The leader's control plane is removed, and with it the unit that holds the application's key."""

from __future__ import annotations

import base64

import ops
import pytest
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import SECRET
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files


@pytest.fixture
def provider() -> SelfSigned:
    return SelfSigned()


@pytest.fixture
def pair(provider: SelfSigned, api: FakeCluster, machines: list[Files]) -> Model:
    """Two units at rest, of which the first leads."""
    model = Model(provider, machines, units=2)
    model.settle()
    assert [unit.status.name for unit in model.units] == ["active", "active"]
    return model


def served(api: FakeCluster) -> tuple[str, ...]:
    data = api.objects[SECRET]["data"]
    return tuple(base64.b64decode(data[key]).decode() for key in ("cert.pem", "key.pem"))


def leave(model: Model, monkeypatch: pytest.MonkeyPatch, endpoints: tuple[str, ...]) -> None:
    """Run the last hooks of the first unit; then the other leads."""
    own = property(lambda event: event.framework.model.unit)
    with monkeypatch.context() as patched:
        patched.setattr(ops.RelationDepartedEvent, "departing_unit", own)
        for endpoint in endpoints:
            model.hook(model.on.relation_departed(model.relation(endpoint)))
            model.hook(model.broken(endpoint))
    model.leader = 1


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    "endpoints",
    [("certificates", "aws-iam"), ("aws-iam", "certificates")],
    ids=["certificates first", "control plane first"],
)
def test_given_a_leader_that_goes_then_key_certificate_and_pods_stay(
    pair: Model,
    provider: SelfSigned,
    api: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    endpoints: tuple[str, ...],
    sealed: bool,
):
    asked, before = dict(pair.certificates), served(api)
    monkeypatch.setattr("juju.leaving._is_principal_going", lambda: True)
    leave(pair, monkeypatch, endpoints)
    provider.silent = sealed
    api.forget()
    for _ in range(3):
        pair.hook(unit=1)
        if not sealed:
            pair.answer()

    assert pair.units[1].status.name == "active"
    assert dict(pair.certificates) == asked
    assert served(api) == before
    assert api.changes == []


def test_given_a_unit_that_stays_when_the_authority_goes_then_the_key_goes_too(
    pair: Model, api: FakeCluster
):
    pair.hook(pair.broken("certificates"))

    assert not any("private-key" in str(kept.label) for kept in pair.secrets)
