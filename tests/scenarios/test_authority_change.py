"""A new certificate authority, without a moment in which a control plane trusts the wrong one.

The three states are derived, never stored: everyone trusts old and new; then the pods change;
then the old authority goes.
"""

from __future__ import annotations

import base64
import datetime

import ops
import pytest
import yaml
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import PODS, SECRET
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import SERVER_NAME, pem

OLD, NEW = root().certificate, root("new").certificate
BOTH = pem.ca_bundle(OLD, NEW)


def moved(model: Model) -> None:
    """The authority changes, and answers what it was asked before."""
    model.provider = Easyrsa(root("new"))
    model.answer()


def trusted(machines: list[Files]) -> list[str]:
    """What each unit's control plane trusts."""
    configs = [yaml.safe_load(machine.webhook.read_text()) for machine in machines]
    data = [config["clusters"][0]["cluster"]["certificate-authority-data"] for config in configs]
    return [base64.b64decode(text).decode() for text in data]


def test_given_two_units_when_the_authority_changes_then_the_pods_wait_for_the_other_unit(
    two: Model, api: FakeCluster, machines: list[Files]
):
    moved(two)

    assert two.hook(two.changed("certificates")) == ops.WaitingStatus(
        "waiting for aws-iam/1 to trust the new authority"
    )
    assert two.peer["ca"] == BOTH
    assert trusted(machines) == [BOTH, OLD]
    assert api.secret("ca.pem") == OLD


def test_given_a_unit_whose_control_plane_is_gone_when_the_authority_changes_then_nobody_waits(
    two: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    """Juju 4 tells the units that stay of none that went, and goes on to show its databag."""
    two.hook(unit=1)
    moved(two)
    now = datetime.datetime.now(datetime.timezone.utc)
    goals = {"kubernetes-control-plane/0": ops.hookcmds.Goal(status="active", since=now)}
    found = ops.hookcmds.GoalState(units={}, relations={"aws-iam": goals})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)

    two.hook(two.changed("certificates"))

    assert api.secret("ca.pem") == NEW


def test_given_pods_that_do_not_start_when_the_authority_changes_then_both_stay_trusted(
    two: Model, api: FakeCluster, machines: list[Files]
):
    moved(two)
    api.start_seconds = None
    two.settle()

    assert api.secret("ca.pem") == NEW
    assert isinstance(two.hook(), ops.WaitingStatus)
    assert two.peer["ca"] == BOTH
    assert trusted(machines) == [BOTH] * 2

    api.start_seconds = 2
    two.settle()
    assert two.peer["ca"] == NEW


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


def test_given_no_unit_with_the_relation_when_the_authority_changes_then_the_pods_wait_for_none(
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
    assert "trust" not in two.units[0].status.message


def test_given_control_planes_that_acknowledge_when_one_has_not_restarted_then_it_is_waited_for(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]
):
    model = Model(easyrsa, machines, units=2, acknowledges=True)
    model.settle()
    moved(model)
    # Files are written at once, and no API server has been restarted with them yet.
    model.hook(model.changed("certificates", unit=0), unit=0)
    model.hook(model.changed("peers", unit=1), unit=1)

    assert model.hook(model.changed("peers", unit=0), unit=0) == ops.WaitingStatus(
        "waiting for aws-iam/0, aws-iam/1 to trust the new authority"
    )
    assert api.secret("ca.pem") == OLD

    model.answer()
    model.hook(model.changed("aws-iam", unit=1), unit=1)
    assert model.hook(model.changed("aws-iam", unit=0), unit=0).name == "active"
    assert api.secret("ca.pem") == NEW

    model.settle()
    assert trusted(machines) == [NEW] * 2


def test_given_a_unit_that_leaves_when_the_authority_changes_then_nobody_waits_for_it(
    two: Model, api: FakeCluster, machines: list[Files]
):
    moved(two)
    two.hook(two.changed("certificates"))
    del two.units[1]

    assert isinstance(
        two.hook(two.on.relation_departed(two.relation("peers"), remote_unit=1)), ops.ActiveStatus
    )
    assert api.secret("ca.pem") == NEW


def test_given_a_unit_that_joins_when_the_authority_changes_then_it_is_waited_for(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]
):
    model = Model(easyrsa, machines, units=1)
    model.settle()
    model.add_unit()
    moved(model)

    assert model.hook(model.changed("certificates")) == ops.WaitingStatus(
        "waiting for aws-iam/1 to trust the new authority"
    )
    model.settle()
    assert api.secret("ca.pem") == NEW


def test_given_a_lost_unit_when_what_is_served_has_expired_then_the_new_certificate_is_served(
    two: Model, api: FakeCluster, machines: list[Files]
):
    moved(two)
    assert two.hook(two.changed("certificates")) == ops.WaitingStatus(
        "waiting for aws-iam/1 to trust the new authority"
    )
    # The other unit's machine is lost.
    expired, key = root().issue([SERVER_NAME], days=(-300, -1))
    data = api.objects[SECRET]["data"]
    data["cert.pem"] = base64.b64encode((expired + OLD).encode()).decode()
    data["key.pem"] = base64.b64encode(key.encode()).decode()

    assert two.hook().name == "active"
    assert api.secret("ca.pem") == NEW
    assert trusted(machines)[0] in (BOTH, NEW)


def test_given_a_unit_between_authorities_when_the_former_returns_then_the_pods_wait_for_it(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]
):
    """Its API server trusts no more what the unit has said that it trusts."""
    model = Model(easyrsa, machines, units=2, acknowledges=True)
    model.settle()
    model.provider = Easyrsa(root("new"))
    model.answer()
    model.hook(model.changed("certificates"))
    model.hook(model.changed("peers", unit=1), unit=1)
    model.answer()  # Both API servers have restarted with both authorities.
    model.hook(model.changed("aws-iam", unit=1), unit=1)
    model.hook(model.changed("aws-iam"))
    model.hook()
    model.hook(model.changed("peers", unit=1), unit=1)
    assert api.secret("ca.pem") == NEW
    assert trusted(machines) == [NEW, NEW]
    model.answer()  # Both have restarted with the new one alone.

    model.provider = easyrsa
    model.answer()
    model.hook(model.changed("certificates"))
    model.answer()
    model.hook(model.changed("aws-iam"))

    assert api.secret("ca.pem") == NEW
