"""A removal keeps the Service where this machine's control plane still sends logins to it.

Whoever may create a Service with a chosen clusterIP would get the tokens that are sent there.
"""

from __future__ import annotations

import httpx2
import ops
import pytest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import Answer, refusal, unreachable
from tests.fakes.kubernetes.paths import ADDRESS, DEFINED, DEPLOYMENT, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.services import is_whole
from tests.fakes.machine import Files, rendered
from tests.fakes.owners import mark

URL = f"https://{ADDRESS}:443/authenticate"
RESET = "juju config kubernetes-control-plane authn-webhook-endpoint="
FIRST = (
    f"first {RESET}; then, when juju exec --application kubernetes-control-plane -- grep "
    f"_ENDPOINT /root/cdk/auth-webhook/auth-webhook.py no longer shows {ADDRESS}"
)
KEPT = ops.WaitingStatus(f"Service kept; run: {RESET}")
V6 = "fd00:10:96::1:20"


@pytest.fixture(autouse=True)
def _principal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", "kubernetes-control-plane/0")


def given(url: str) -> str:
    """As an older control plane renders what the relation says."""
    return f"AWS_IAM_ENDPOINT = '{url}'\nCUSTOM_AUTHN_ENDPOINT = ''\n"


def remove(model: Model, unit: int = 0) -> ops.StatusBase:
    """The last hook of a unit; its last status."""
    return model.hook(model.on.remove(), unit=unit)


@pytest.mark.parametrize("how", ["as it was", "deleted", "gone", "the reactive charm's"])
def test_given_an_option_that_is_set_when_removed_then_the_service_alone_stays_and_is_nobodys(
    asking: Model, api: FakeCluster, how: str
):
    if how == "deleted":
        api.kubectl_delete(SERVICE)
    elif how == "gone":
        api.delete(SERVICE)
    elif how != "as it was":
        api.objects[SERVICE]["metadata"] |= {"finalizers": [], "annotations": {}}

    # Of another unit, or of this one that was killed.
    for unit in (0, 1, 0):
        assert remove(asking, unit) == KEPT
        assert set(api.objects) == {*DEFINED, SERVICE}
        assert is_whole(api)
        assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS
        assert not api.objects[SERVICE]["metadata"].get("annotations")
    log = asking.log().partition(f"Delete it with: {FIRST}: ")[2]
    kubectl = "/snap/bin/kubectl --kubeconfig /root/.kube/config -n kube-system"
    assert log.splitlines()[0] == (
        f"juju exec --unit kubernetes-control-plane/0 -- '{kubectl} patch service "
        'aws-iam-authenticator --patch "metadata: {finalizers: null}"; '
        f"{kubectl} delete service aws-iam-authenticator'"
    )


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        (rendered(f"https://{ADDRESS}/authenticate"), True),
        (rendered(f" http://{ADDRESS}:443/authenticate"), True),
        (given(URL), True),
        (f"AWS_IAM_ENDPOINT = '{URL}'\nCUSTOM_AUTHN_ENDPOINT = 'https://x/authenticate'\n", True),
        (rendered(""), False),
        (given(""), False),
        (rendered("https://10.152.183.99:443/authenticate"), False),
        (rendered(f"https://{ADDRESS}9:443/authenticate"), False),
        (rendered("https://login.example.com/authenticate"), False),
        # Nobody can say what it asks.
        (b"\xff", True),
        # It has no webhook.
        (None, False),
    ],
)
def test_given_what_a_control_plane_renders_when_removed_then_the_service_stays_if_it_asks(
    asking: Model, api: FakeCluster, files: Files, text: str | bytes | None, *, stays: bool
):
    files.auth_webhook.unlink()
    if text is not None:
        files.auth_webhook.write_bytes(text.encode() if isinstance(text, str) else text)

    assert remove(asking).message.startswith("Service kept; run: ") is stays
    assert set(api.objects) == ({*DEFINED, SERVICE} if stays else {*DEFINED})


@pytest.mark.parametrize("host", [f"[{V6.upper()}]:443", "[fd00:10:96:0:0:0:1:20]"], ids=str)
def test_given_an_ipv6_address_in_another_spelling_when_removed_then_the_service_stays(
    easyrsa: Easyrsa, api: FakeCluster, files: Files, host: str
):
    api.free_addresses = [V6]
    model = Model(easyrsa, [files], endpoints=("control-plane",))
    model.settle()
    files.auth_webhook.write_text(rendered(f"https://{host}/authenticate"))

    assert remove(model) == KEPT
    assert SERVICE in api.objects


@pytest.mark.parametrize("when", ["before", "meanwhile", "after"])
def test_given_two_machines_when_one_still_asks_then_the_service_stays_in_the_end(
    asking: Model, api: FakeCluster, machines: list[Files], when: str
):
    machines[0].auth_webhook.write_text(rendered(""))
    if when == "before":
        remove(asking, unit=1)
    elif when == "meanwhile":
        api.meanwhile(lambda: remove(asking, unit=1), request=f"DELETE {SERVICE}")
    remove(asking)
    if when == "after":
        remove(asking, unit=1)

    assert is_whole(api)
    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_given_machines_that_ask_until_later_hooks_when_removed_then_the_service_goes(
    asking: Model, api: FakeCluster, machines: list[Files], order: tuple[int, int]
):
    for unit in order:
        machines[unit].auth_webhook.write_text(given(URL))
        assert remove(asking, unit).message == (
            f"Service kept; run: juju exec --unit kubernetes-control-plane/{unit} -- "
            "JUJU_DISPATCH_PATH=hooks/update-status ./dispatch"
        )
    for unit in order:
        machines[unit].auth_webhook.write_text(given(""))
        remove(asking, unit)

    assert set(api.objects) == {*DEFINED}


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("nth", range(1, 15))
def test_given_a_removal_that_dies_on_the_way_when_the_next_hook_runs_then_it_ends_the_same(
    asking: Model, api: FakeCluster, files: Files, asks: bool, nth: int
):
    files.auth_webhook.write_text(rendered(URL if asks else ""))
    api.fail(unreachable(httpx2.ReadTimeout), nth=nth)
    remove(asking)
    held = SERVICE in api.objects
    api.recover()
    remove(asking)

    assert held or not asks
    assert set(api.objects) == ({*DEFINED, SERVICE} if asks else {*DEFINED})


@pytest.mark.parametrize(
    ("fault", "request_"),
    [
        (refusal(403, "no"), f"PATCH {SERVICE}"),
        (refusal(422, "spec.clusterIPs: already allocated"), f"PATCH {SERVICE}"),
        (unreachable(httpx2.ConnectError), ""),
    ],
)
def test_given_a_service_that_cannot_be_kept_then_it_stays_and_the_log_says_what_to_do_first(
    asking: Model, api: FakeCluster, fault: Answer, request_: str
):
    before = set(api.objects)
    api.fail(fault, request=request_)
    remove(asking)

    assert set(api.objects) == ({*DEFINED, SERVICE} if request_ else before)
    assert is_whole(api)
    assert f"remove it with: {FIRST}: kubectl -n kube-system delete" in asking.log()


def test_given_a_service_of_another_application_when_removed_then_everything_is_left_alone(
    asking: Model, api: FakeCluster
):
    mark(api, SERVICE, "other of model k8s (1)")
    remove(asking)

    assert api.changes == []


def test_given_objects_with_a_strangers_mark_when_removed_then_they_go_with_the_service(
    deployed: Model, api: FakeCluster
):
    for path in (SECRET, DEPLOYMENT):
        mark(api, path, "other of model k8s (1)")
    remove(deployed)

    assert set(api.objects) == {*DEFINED}


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
    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS
    assert is_whole(api)
    assert list(api.objects[SERVICE]["metadata"]["annotations"]) == ["aws-iam/owner"]
