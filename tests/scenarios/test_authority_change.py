"""A new certificate authority: old and new are trusted until every pod serves with the new one."""

from __future__ import annotations

import base64

import ops
import yaml
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import PODS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import ca_bundle

OLD, NEW = root().certificate, root("new").certificate
BOTH = ca_bundle(OLD, NEW)


def moved(model: Model) -> None:
    """The authority changes, and answers what it was asked before."""
    model.provider = Easyrsa(root("new"))
    model.answer()


def trusted(machines: list[Files]) -> list[str]:
    """What each unit's control plane trusts."""
    configs = [yaml.safe_load(machine.webhook.read_text()) for machine in machines]
    data = [config["clusters"][0]["cluster"]["certificate-authority-data"] for config in configs]
    return [base64.b64decode(text).decode() for text in data]


def test_given_two_units_when_the_authority_changes_then_both_are_trusted_until_pods_serve_it(
    two: Model, api: FakeCluster, machines: list[Files]
):
    moved(two)
    api.start_seconds = None
    two.hook(two.changed("certificates"))
    assert api.secret("ca.pem") == NEW
    assert two.peer["ca"] == BOTH
    assert trusted(machines) == [BOTH, OLD]

    two.settle()
    assert isinstance(two.hook(), ops.WaitingStatus)
    assert two.peer["ca"] == BOTH
    assert trusted(machines) == [BOTH] * 2

    api.start_seconds = 2
    two.settle()
    assert [unit.status.name for unit in two.units] == ["active", "active"]
    assert two.peer["ca"] == NEW
    assert trusted(machines) == [NEW] * 2


def test_given_a_pod_of_the_old_authority_that_is_ending_when_settled_then_both_stay_trusted(
    two: Model, api: FakeCluster, machines: list[Files]
):
    api.add_pod("ending")
    moved(two)
    two.settle()

    assert api.secret("ca.pem") == NEW
    assert trusted(machines) == [BOTH] * 2

    api.delete(f"{PODS}/ending")
    two.hook()
    two.settle()
    assert trusted(machines) == [NEW] * 2


def test_given_no_unit_with_the_relation_when_the_authority_changes_then_the_pods_change(
    api: FakeCluster, machines: list[Files]
):
    # From Charmed Kubernetes 1.29 on, no machine has a webhook file to trust an authority with.
    two = Model(Easyrsa(root()), machines, units=2, endpoints=("control-plane",))
    two.settle()
    assert not any(machine.webhook.exists() for machine in machines)
    moved(two)
    for _ in range(3):
        two.hook(two.changed("certificates"))
        two.answer()

    assert api.secret("ca.pem") == NEW
    assert two.peer["ca"] == NEW
