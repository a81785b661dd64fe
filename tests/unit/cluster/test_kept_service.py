"""Charmed Kubernetes >= 1.29: the Service's address stays while a control plane trusts it.

Whoever may create a Service with a chosen clusterIP would get the tokens that are sent there.
"""

from __future__ import annotations

import ops
import pytest
from tests.fakes import at_rest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import ADDRESS, DEFINITION, DEPLOYMENT, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files
from tests.scenarios.test_control_plane_option import rendered

SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
ENDPOINTS = "/api/v1/namespaces/kube-system/endpoints/aws-iam-authenticator"
OURS = rendered(f"https://{ADDRESS}:443/authenticate")
RESET = "juju config kubernetes-control-plane --reset authn-webhook-endpoint"


@pytest.fixture(autouse=True)
def _relation_is_going(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ops.hookcmds.GoalState(units={}, relations={})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)
    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", "kubernetes-control-plane/0")


@pytest.fixture
def newer(easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]) -> Model:
    """Two units at rest, whose control planes' option is set."""
    for files in machines:
        files.auth_webhook.write_text(OURS)
    model = Model(easyrsa, machines, units=2, endpoints=("control-plane",))
    at_rest.settle(model, api)
    api.forget()
    return model


def remove(model: Model, unit: int = 0) -> ops.StatusBase:
    """The last hook of a unit; its last status."""
    return model.hook(model.on.remove(), unit=unit)


def test_given_an_option_that_is_set_when_removed_then_the_service_alone_stays_without_selector(
    newer: Model, api: FakeCluster
):
    remove(newer)

    assert set(api.objects) == {DEFINITION, SERVICE}
    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS
    assert "selector" not in api.objects[SERVICE]["spec"]


def test_given_a_selector_that_somebody_else_set_when_removed_then_it_goes_all_the_same(
    newer: Model, api: FakeCluster
):
    api.objects[SERVICE]["spec"]["selector"]["app"] = "theirs"
    remove(newer)

    assert "selector" not in api.objects[SERVICE]["spec"]


def test_given_an_option_that_is_set_when_removed_then_nothing_is_left_behind_the_service(
    newer: Model, api: FakeCluster
):
    label = {"kubernetes.io/service-name": "aws-iam-authenticator"}
    pods = {"addressType": "IPv4", "endpoints": []}
    api.put(f"{SLICES}/ours", {"metadata": {"name": "ours", "labels": label}, **pods})
    api.put(f"{SLICES}/another", pods)
    api.put(ENDPOINTS, {})
    remove(newer)

    assert ENDPOINTS not in api.objects
    assert [path for path in api.objects if path.startswith(SLICES)] == [f"{SLICES}/another"]


def test_given_an_option_that_is_set_when_removed_then_the_service_is_closed_before_the_pods_go(
    newer: Model, api: FakeCluster
):
    remove(newer)

    assert api.changes[0] == f"PATCH {SERVICE}"


def test_given_an_option_that_is_set_when_removed_then_status_and_log_say_what_to_do_in_order(
    newer: Model, api: FakeCluster
):
    assert remove(newer) == ops.BlockedStatus(f"Service kept; run: {RESET}")

    first, _, second = newer.log().partition(RESET)
    assert ADDRESS in first
    assert (
        "run: juju exec --unit kubernetes-control-plane/0 -- /snap/bin/kubectl "
        "--kubeconfig /root/.kube/config -n kube-system delete service aws-iam-authenticator"
    ) in second


@pytest.mark.parametrize("first", [0, 1])
def test_given_two_machines_when_one_still_has_the_option_then_the_service_stays(
    newer: Model, api: FakeCluster, machines: list[Files], first: int
):
    machines[0].auth_webhook.write_text(rendered(""))
    remove(newer, unit=first)
    remove(newer, unit=1 - first)

    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS
    assert "selector" not in api.objects[SERVICE]["spec"]


def test_given_two_machines_when_both_have_reset_the_option_then_the_service_goes(
    newer: Model, api: FakeCluster, machines: list[Files]
):
    for number, files in enumerate(machines):
        files.auth_webhook.write_text(rendered(""))
        assert remove(newer, unit=number).name != "blocked"

    assert set(api.objects) == {DEFINITION}


def test_given_a_service_that_went_and_an_address_that_is_taken_when_removed_then_that_is_said(
    newer: Model, api: FakeCluster
):
    api.delete(SERVICE)
    api.taken_addresses.add(ADDRESS)

    assert remove(newer) == ops.BlockedStatus(f"tokens may go to another Service; run: {RESET}")
    assert SECRET not in api.objects


def test_given_a_mark_that_somebody_else_set_when_nobody_asks_then_the_service_goes(
    newer: Model, api: FakeCluster, machines: list[Files]
):
    for files in machines:
        files.auth_webhook.write_text(rendered(""))
    api.objects[SERVICE]["metadata"]["annotations"]["aws-iam/kept-for"] = (
        "kubernetes-control-plane/0"
    )

    remove(newer)

    assert set(api.objects) == {DEFINITION}


@pytest.mark.parametrize(
    "value",
    [
        "",
        "https://10.152.183.99:443/authenticate",
        f"https://{ADDRESS}9:443/authenticate",
        "https://login.example.com/authenticate",
        "https://10.152.183.999:443/authenticate",
    ],
)
def test_given_another_webhook_in_the_option_when_removed_then_the_service_goes(
    newer: Model, api: FakeCluster, machines: list[Files], value: str
):
    machines[0].auth_webhook.write_text(rendered(value))

    assert remove(newer).name != "blocked"
    assert SERVICE not in api.objects


@pytest.mark.parametrize(
    "value", [f"https://{ADDRESS}/authenticate", f" http://{ADDRESS}:443/authenticate"]
)
def test_given_the_address_in_another_form_when_removed_then_the_service_stays(
    newer: Model, api: FakeCluster, machines: list[Files], value: str
):
    machines[0].auth_webhook.write_text(rendered(value))
    remove(newer)

    assert SERVICE in api.objects


def test_given_a_service_of_another_application_when_removed_then_it_is_left_alone(
    newer: Model, api: FakeCluster
):
    service = api.objects[SERVICE]
    service["metadata"]["annotations"]["aws-iam/owner"] = "other of model k8s (1)"
    remove(newer)

    assert service["spec"]["selector"]


def test_given_a_service_that_cannot_be_kept_when_removed_then_nothing_goes(
    newer: Model, api: FakeCluster
):
    api.fail(refusal(403, "no"), request=f"PATCH {SERVICE}")
    remove(newer)

    assert DEPLOYMENT in api.objects
    assert f"remove it with: first {RESET}; then kubectl -n kube-system delete" in newer.log()


def test_given_a_kept_service_when_another_application_is_deployed_then_it_takes_it_over(
    newer: Model, easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]
):
    remove(newer)
    again = Model(easyrsa, machines[:1], endpoints=("control-plane",), application="login")
    again.settle()

    assert again.hook().name == "active"
    service = api.objects[SERVICE]
    assert service["spec"]["clusterIP"] == ADDRESS
    assert service["spec"]["selector"] == {"k8s-app": "aws-iam-authenticator"}
    assert list(service["metadata"]["annotations"]) == ["aws-iam/owner"]
