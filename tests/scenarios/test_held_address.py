"""Nobody else gets the address that a control plane asks, however it spells that."""

from __future__ import annotations

import ops
import ops.testing
import pytest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.services import CHOSEN, EXTRA
from tests.fakes.machine import Files, rendered

from labels import FINALIZER

DENIED = "ValidatingAdmissionPolicy 'x' with binding 'x' denied request: Services need a label"
V6 = "fd00:10:96::1:20"


def given(url: str) -> str:
    """As an older control plane renders what the relation says."""
    return f"AWS_IAM_ENDPOINT = '{url}'\nCUSTOM_AUTHN_ENDPOINT = ''\n"


@pytest.mark.parametrize("last", ["departed", "all"])
def test_given_a_1_28_control_plane_that_still_asks_when_removed_then_the_address_is_held(
    deployed: Model, api: FakeCluster, files: Files, last: str
):
    url = f"https://{ADDRESS}:443/authenticate"
    files.auth_webhook.write_text(given(url))
    assert deployed.hook().name == "active"
    own = property(lambda event: event.framework.model.unit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops.RelationDepartedEvent, "departing_unit", own)
        deployed.hook(deployed.on.relation_departed(deployed.relation("aws-iam")))
    if last == "all":
        for event in (deployed.broken("aws-iam"), deployed.on.stop(), deployed.on.remove()):
            deployed.hook(event)

    assert SERVICE in api.objects
    kept = deployed.units[0].status.message
    assert kept.startswith("Service kept; run: juju exec --unit kubernetes-control-plane/")
    assert kept.endswith(" -- JUJU_DISPATCH_PATH=hooks/update-status ./dispatch")


@pytest.mark.parametrize(
    "host", [f"[{V6.upper()}]:443", "[fd00:10:96:0:0:0:1:20]", f"[{V6}]:443"], ids=str
)
def test_given_an_option_in_another_spelling_when_removed_then_the_address_is_held(
    easyrsa: Easyrsa, api: FakeCluster, files: Files, host: str
):
    api.free_addresses = [V6, "fd00:10:96::1:21"]
    model = Model(easyrsa, [files], endpoints=("control-plane",))
    model.settle()
    files.auth_webhook.write_text(rendered(f"https://{host}/authenticate"))
    model.hook()
    for event in (model.broken("control-plane"), model.on.stop(), model.on.remove()):
        model.hook(event)

    assert SERVICE in api.objects


def test_given_a_policy_that_denies_once_when_removed_then_the_asked_address_is_held(
    asking: Model, api: FakeCluster
):
    api.fail(refusal(422, DENIED), request=f"PATCH {SERVICE}", nth=1)
    asking.hook(asking.on.stop())

    assert SERVICE in api.objects
    assert "another Service" not in asking.units[0].status.message


def test_given_a_policy_that_denies_when_an_address_is_chosen_then_the_address_is_not_blamed(
    deployed: Model, api: FakeCluster
):
    deployed.config = {"webhook-address": CHOSEN}
    api.fail(refusal(422, DENIED), request=f"PATCH {EXTRA}")

    assert "set a free address" not in deployed.hook().message


URL = f"https://{ADDRESS}:443/authenticate"


@pytest.fixture
def both(two: Model, machines: list[Files]) -> Model:
    """Two units on 1.28, each of which knows what the other's control plane asks."""
    for number, files in enumerate(machines):
        files.auth_webhook.write_text(given(URL))
        assert two.hook(unit=number).name == "active"
    return two


def depart(model: Model, unit: int) -> None:
    """Juju ends the relation of a unit that goes, whose control plane has rendered nothing yet."""
    own = property(lambda event: event.framework.model.unit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops.RelationDepartedEvent, "departing_unit", own)
        model.hook(model.on.relation_departed(model.relation("aws-iam", unit)), unit=unit)


def end(model: Model, machines: list[Files], *units: int) -> None:
    """Other last hooks, after the control planes have rendered that nobody is asked."""
    for unit in units:
        machines[unit].auth_webhook.write_text(given(""))
    for event in (lambda unit: model.broken("aws-iam", unit), lambda _: model.on.stop()):
        for unit in units:
            model.hook(event(unit), unit=unit)


ORDERS = pytest.mark.parametrize("order", [(0, 1), (1, 0)])


@ORDERS
def test_given_two_1_28_control_planes_when_one_still_asks_then_the_service_stays_until_then(
    both: Model, api: FakeCluster, machines: list[Files], order: tuple[int, int]
):
    first, last = order
    for unit in order:
        depart(both, unit)
    end(both, machines, first)
    assert FINALIZER in api.objects[SERVICE]["metadata"]["finalizers"]

    end(both, machines, last)
    assert SERVICE not in api.objects


@ORDERS
def test_given_a_1_28_unit_that_goes_before_the_other_then_the_service_goes_with_the_last(
    both: Model, api: FakeCluster, machines: list[Files], order: tuple[int, int]
):
    for unit in order:
        depart(both, unit)
        end(both, machines, unit)
        assert (SERVICE in api.objects) is (unit == order[0])


def test_given_two_1_28_units_whose_last_hooks_run_at_once_then_the_service_goes(
    both: Model, api: FakeCluster, machines: list[Files]
):
    for unit, files in enumerate(machines):
        depart(both, unit)
        files.auth_webhook.write_text(given(""))
    api.meanwhile(lambda: both.hook(both.on.stop(), unit=1), request=f"PATCH {SERVICE}")
    both.hook(both.on.stop())

    assert SERVICE not in api.objects
