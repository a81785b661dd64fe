"""Charmed Kubernetes >= 1.29: the Service's address stays while a control plane trusts it.

Whoever may create a Service with a chosen clusterIP would get the tokens that are sent there.
"""

from __future__ import annotations

import httpx2
import ops
import pytest
from tests.fakes.juju.model import UUID, Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal, unreachable
from tests.fakes.kubernetes.paths import ADDRESS, DEFINED, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered

from labels import FINALIZER, KEPT

OURS = rendered(f"https://{ADDRESS}:443/authenticate")
RESET = "juju config kubernetes-control-plane authn-webhook-endpoint="
FIRST = (
    f"first {RESET}; then, when juju exec --application kubernetes-control-plane -- grep "
    f"_ENDPOINT /root/cdk/auth-webhook/auth-webhook.py no longer shows {ADDRESS}"
)


@pytest.fixture(autouse=True)
def _relation_is_going(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ops.hookcmds.GoalState(units={}, relations={})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)
    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", "kubernetes-control-plane/0")


def render(model: Model, machines: list[Files], text: str) -> None:
    """Each control plane renders its webhook, and each unit tells the other so in a hook."""
    for number, files in enumerate(machines):
        files.auth_webhook.write_text(text)
        model.hook(unit=number)


def remove(model: Model, unit: int = 0) -> ops.StatusBase:
    """The last hook of a unit; its last status."""
    return model.hook(model.on.remove(), unit=unit)


def test_given_an_option_that_is_set_when_removed_then_the_service_alone_stays_and_is_nobodys(
    asking: Model, api: FakeCluster
):
    remove(asking)

    assert set(api.objects) == {*DEFINED, SERVICE}
    service = api.objects[SERVICE]
    assert service["spec"]["clusterIP"] == ADDRESS
    # Without a selector, endpoints made by hand would stay.
    assert service["spec"]["selector"] == {"k8s-app": "aws-iam-authenticator"}
    assert service["metadata"]["finalizers"] == [FINALIZER]
    assert service["metadata"]["annotations"] == {
        KEPT: f"kubernetes-control-plane/0 kubernetes-control-plane/1 of model k8s ({UUID})"
    }


def test_given_a_service_that_was_deleted_before_when_removed_then_it_stays_all_the_same(
    asking: Model, api: FakeCluster
):
    api.kubectl_delete(SERVICE)
    remove(asking)

    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS


def test_given_the_reactive_charms_service_when_removed_then_it_is_held_too(
    asking: Model, api: FakeCluster
):
    metadata = api.objects[SERVICE]["metadata"]
    metadata |= {"finalizers": [], "annotations": {}}
    remove(asking)

    assert api.objects[SERVICE]["metadata"]["finalizers"] == [FINALIZER]


def test_given_an_option_that_is_set_when_removed_then_status_and_log_say_what_to_do_in_order(
    asking: Model, api: FakeCluster
):
    assert remove(asking) == ops.WaitingStatus(f"Service kept; run: {RESET}")

    last = asking.log().partition(f"Delete it with: {FIRST}: ")[2]
    kubectl = "/snap/bin/kubectl --kubeconfig /root/.kube/config -n kube-system"
    assert last.splitlines()[0] == (
        f"juju exec --unit kubernetes-control-plane/0 -- '{kubectl} patch service "
        'aws-iam-authenticator --patch "metadata: {finalizers: null}"; '
        f"{kubectl} delete service aws-iam-authenticator'"
    )


@pytest.mark.parametrize("first", [0, 1])
def test_given_two_machines_when_one_still_has_the_option_then_the_service_stays(
    asking: Model, api: FakeCluster, machines: list[Files], first: int
):
    machines[0].auth_webhook.write_text(rendered(""))
    remove(asking, unit=first)
    remove(asking, unit=1 - first)

    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS
    assert api.objects[SERVICE]["metadata"]["finalizers"] == [FINALIZER]


def test_given_two_machines_when_both_have_reset_the_option_then_the_service_goes(
    asking: Model, api: FakeCluster, machines: list[Files]
):
    render(asking, machines, rendered(""))
    for number in range(2):
        assert remove(asking, unit=number).name != "blocked"

    assert set(api.objects) == {*DEFINED}


def test_given_a_service_that_went_and_an_address_that_is_taken_when_removed_then_that_is_said(
    asking: Model, api: FakeCluster
):
    api.delete(SERVICE)
    api.taken_addresses.add(ADDRESS)

    assert remove(asking) == ops.WaitingStatus(f"another Service may answer logins; run: {RESET}")
    assert SECRET not in api.objects


@pytest.mark.parametrize(
    ("asked", "nth"), [(asked, n) for asked in (True, False) for n in range(1, 28)]
)
def test_given_a_removal_that_dies_on_the_way_when_the_next_hook_runs_then_it_ends_the_same(
    asking: Model, api: FakeCluster, machines: list[Files], asked: bool, nth: int
):
    render(asking, machines, OURS if asked else rendered(""))
    api.fail(unreachable(httpx2.ReadTimeout), nth=nth)
    remove(asking)
    held = SERVICE in api.objects
    api.recover()
    remove(asking)

    assert held or not asked
    assert set(api.objects) == ({*DEFINED, SERVICE} if asked else {*DEFINED})


@pytest.mark.parametrize(
    "value",
    [
        "https://10.152.183.99:443/authenticate",
        f"https://{ADDRESS}9:443/authenticate",
        "https://login.example.com/authenticate",
    ],
)
def test_given_another_webhook_in_the_option_when_removed_then_the_service_goes(
    asking: Model, api: FakeCluster, machines: list[Files], value: str
):
    render(asking, machines, rendered(value))

    # Juju runs two hooks in which a unit cleans.
    assert remove(asking).name != "blocked"
    assert remove(asking) != ops.WaitingStatus(f"Service kept; run: {RESET}")
    assert set(api.objects) == {*DEFINED}


@pytest.mark.parametrize(
    "value", [f"https://{ADDRESS}/authenticate", f" http://{ADDRESS}:443/authenticate"]
)
def test_given_the_address_in_another_form_when_removed_then_the_service_stays(
    asking: Model, api: FakeCluster, machines: list[Files], value: str
):
    machines[0].auth_webhook.write_text(rendered(value))
    remove(asking)

    assert SERVICE in api.objects


def test_given_a_service_of_another_application_when_removed_then_it_is_left_alone(
    asking: Model, api: FakeCluster
):
    service = api.objects[SERVICE]
    service["metadata"]["annotations"]["aws-iam/owner"] = "other of model k8s (1)"
    remove(asking)

    assert service["metadata"]["annotations"]["aws-iam/owner"] == "other of model k8s (1)"


def test_given_a_service_that_cannot_be_kept_when_removed_then_the_rest_goes_and_it_stays(
    asking: Model, api: FakeCluster
):
    api.fail(refusal(403, "no"), request=f"PATCH {SERVICE}")
    remove(asking)

    assert set(api.objects) == {*DEFINED, SERVICE}
    assert FINALIZER in api.objects[SERVICE]["metadata"]["finalizers"]
    assert f"remove it with: {FIRST}: kubectl -n kube-system delete" in asking.log()


@pytest.mark.parametrize("deleted", [False, True])
def test_given_a_kept_service_when_another_application_is_deployed_then_it_takes_it_over(
    asking: Model, easyrsa: Easyrsa, api: FakeCluster, machines: list[Files], *, deleted: bool
):
    remove(asking)
    if deleted:
        api.kubectl_delete(SERVICE)
    again = Model(easyrsa, machines[:1], endpoints=("control-plane",), application="login")
    again.settle()

    assert again.hook().name == "active"
    service = api.objects[SERVICE]
    assert service["spec"]["clusterIP"] == ADDRESS
    assert "deletionTimestamp" not in service["metadata"]
    assert list(service["metadata"]["annotations"]) == ["aws-iam/owner"]
