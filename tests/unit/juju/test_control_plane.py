"""Which charms the unit works under: kubernetes-control-plane, under whatever application name."""

from __future__ import annotations

import ops
import pytest
from tests.fakes import alarms, at_rest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS, DEPLOYMENT
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered

from juju import control_plane

CHARM = "kubernetes-control-plane"


def unpack(files: Files, name: str, application: str = "k8s") -> None:
    """Have Juju unpack the principal's charm, whose metadata has this line for its name."""
    metadata = files.machine.charm_metadata(f"{application}/0")
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"summary: a charm\n{name}\nsubordinate: false\n")


@pytest.fixture
def under(easyrsa: Easyrsa, api: FakeCluster, files: Files) -> Model:
    """Attached through juju-info to an application with the name k8s."""
    return Model(easyrsa, [files], endpoints=("control-plane",), principal="k8s")


@pytest.mark.parametrize("name", ["name: k8s", "name: 'kubernetes-worker'", 'name: "ubuntu"'])
def test_given_another_charm_then_the_unit_says_so_and_leaves_the_cluster_alone(
    under: Model, api: FakeCluster, files: Files, name: str
):
    unpack(files, name)
    api.put(DEPLOYMENT, {"metadata": {"name": "aws-iam-authenticator", "resourceVersion": "1"}})
    before = set(api.objects)

    assert under.hook() == ops.BlockedStatus(
        "not a kubernetes-control-plane; run: "
        "juju remove-relation aws-iam:control-plane k8s:juju-info"
    )
    under.hook(under.broken("control-plane"))
    under.hook(under.on.remove())
    assert api.seen == []
    assert set(api.objects) == before


@pytest.mark.parametrize(
    "name", [f"name: {CHARM}", f'name: "{CHARM}"', "name: kubernetes-master", "", "named: k8s"]
)
def test_given_a_control_plane_of_any_application_name_when_hooks_run_then_the_unit_deploys(
    under: Model, api: FakeCluster, files: Files, name: str
):
    unpack(files, name)
    under.settle()

    assert DEPLOYMENT in api.objects


def test_given_a_fork_that_renders_the_same_webhook_when_hooks_run_then_the_unit_deploys(
    under: Model, api: FakeCluster, files: Files
):
    unpack(files, "name: our-control-plane")
    files.auth_webhook.write_text("CUSTOM_AUTHN_ENDPOINT = ''\n")
    under.settle()

    assert DEPLOYMENT in api.objects


ENDPOINT = f"https://{ADDRESS}:443/authenticate"
TO_USE = ops.WaitingStatus("waiting for kubernetes-control-plane to use the webhook")


def given(url: str) -> str:
    """As the older kind of control plane renders what the relation gave it."""
    return f"AWS_IAM_ENDPOINT = '{url}'\n"


@pytest.mark.parametrize("before", ["", "https://10.152.183.99:443/authenticate"])
def test_given_a_control_plane_that_has_not_rendered_the_webhook_then_it_is_waited_for(
    deployed: Model, api: FakeCluster, files: Files, before: str
):
    files.auth_webhook.write_text(given(before))

    assert deployed.hook() == TO_USE
    # No event announces what the control plane renders.
    assert alarms.rings(deployed, api) == [pytest.approx(30, abs=0.001)]

    files.auth_webhook.write_text(given(ENDPOINT))
    assert deployed.hook().name == "active"
    assert alarms.rings(deployed, api) == []


@pytest.mark.parametrize("unit", [0, 1])
def test_given_an_option_that_is_emptied_then_the_unit_waits_and_is_blocked_before_it_was_set(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files], unit: int
):
    model = Model(easyrsa, machines, units=2, endpoints=("control-plane",))
    at_rest.settle(model, api)
    text = f"webhook not set; run: {control_plane.setting_command(CHARM, ADDRESS)}"
    machines[unit].auth_webhook.write_text(rendered(""))
    assert model.hook(unit=unit) == ops.BlockedStatus(text)

    machines[unit].auth_webhook.write_text(rendered(ENDPOINT))
    assert model.hook(unit=unit).name == "active"

    # As one does ahead of a removal. Juju 4 would leave out the last hooks of a blocked unit.
    machines[unit].auth_webhook.write_text(rendered(""))
    assert model.hook(unit=unit) == ops.WaitingStatus(text)
