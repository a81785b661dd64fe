"""The leader's control plane is removed, and with it the unit that holds the application's key."""

from __future__ import annotations

import ops
import pytest
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files


def served(api: FakeCluster) -> tuple[str, str]:
    return api.secret("cert.pem"), api.secret("key.pem")


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    "endpoints",
    [("certificates", "aws-iam"), ("aws-iam", "certificates")],
    ids=["certificates first", "control plane first"],
)
def test_given_a_leader_that_goes_then_key_certificate_and_pods_stay(
    api: FakeCluster,
    machines: list[Files],
    monkeypatch: pytest.MonkeyPatch,
    endpoints: tuple[str, ...],
    sealed: bool,
):
    pair = Model(SelfSigned(), machines, units=2)
    pair.settle()
    asked, before = dict(pair.certificates), served(api)
    goes = {"kubernetes-control-plane/0": "dying"}
    monkeypatch.setattr("juju.control_plane.principals", lambda: goes)
    own = property(lambda event: event.framework.model.unit)
    with monkeypatch.context() as patched:
        patched.setattr(ops.RelationDepartedEvent, "departing_unit", own)
        for endpoint in endpoints:
            pair.hook(pair.on.relation_departed(pair.relation(endpoint)))
            pair.hook(pair.broken(endpoint))
    pair.leader = 1
    api.forget()

    for _ in range(3):
        pair.hook(unit=1)
        if not sealed:
            pair.answer()

    assert pair.units[1].status.name == "active"
    assert dict(pair.certificates) == asked
    assert served(api) == before
    assert api.changes == []
