"""Whatever the cluster, the machine or the databags do: a status, and never a hook in error.

A hook that raises fails these tests by itself: `Model.hook` lets exceptions through.
"""

from __future__ import annotations

import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import COMMON, FAULTS
from tests.fakes.kubernetes.paths import (
    APPLIED,
    DEPLOYMENT,
    MAPPINGS,
    SECRET,
    SERVICE,
    SETTLED,
)
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import ADMIN_TOKEN, Files, kubeconfig

APPLIES = tuple(f"PATCH {path}" for path in APPLIED)
ROLLOUT = (f"GET {DEPLOYMENT}",)
# One of each kind: an apply, a look at one object, a list.
KINDS = (f"PATCH {SERVICE}", f"GET {SECRET}", f"GET {MAPPINGS}")
# What a reconcile has an answer to.
ANSWERED = {
    *((f"GET {path}", "404") for path in APPLIED),
    *((f"PATCH {SERVICE}", name) for name in ("422", "empty object")),
    (f"GET {SECRET}", "empty object"),
    (f"GET {MAPPINGS}", "404"),
    (f"GET {MAPPINGS}", "404 plain"),
    (f"GET {MAPPINGS}", "429"),
}


@pytest.fixture
def deploying(model: Model) -> Model:
    """About to deploy everything, in one hook."""
    model.answer()
    model.hook()
    model.answer()
    return model


def test_given_a_settled_unit_then_every_request_of_it_is_tried(deployed: Model, api: FakeCluster):
    deployed.hook()

    assert api.requests == list(SETTLED)


def test_given_a_deploying_unit_when_a_hook_runs_then_every_request_of_it_is_tried(
    deploying: Model, api: FakeCluster
):
    api.clear()
    api.forget()
    deploying.hook()

    assert {*api.requests} == {*SETTLED, *APPLIES, *ROLLOUT}


@pytest.mark.parametrize("request_", [*dict.fromkeys(SETTLED), *APPLIES])
def test_given_a_settled_unit_when_a_request_fails_then_it_says_so_and_logins_go_on(
    deployed: Model, api: FakeCluster, files: Files, request_: str
):
    bags, file = deployed.bags(), files.webhook.read_text()

    faults = FAULTS if request_ in KINDS else COMMON
    for name, fault in faults.items():
        api.unlabel()
        api.fail(fault, request=request_, nth=1)
        status = deployed.hook()
        api.recover()

        if (request_, name) not in ANSWERED:
            check(name, status)
        assert deployed.bags() == bags, name
        assert files.webhook.read_text() == file, name
    assert isinstance(deployed.hook(), ops.ActiveStatus)


@pytest.mark.parametrize("request_", [*dict.fromkeys([*SETTLED, *APPLIES, *ROLLOUT])])
def test_given_a_first_deployment_when_a_request_fails_then_the_next_hook_completes_it(
    deploying: Model, api: FakeCluster, request_: str
):
    for name in ("connection refused", "read timeout", "403", "409", "500", "half json"):
        api.clear()
        api.fail(FAULTS[name], request=request_, nth=1)
        status = deploying.hook()
        api.recover()

        check(name, status)
    assert isinstance(deploying.hook(), ops.ActiveStatus)


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe\x00",
        b"[]",
        b"clusters: {}",
        b"&a [*a, *a]",
        kubeconfig(server="not a url").encode(),
        kubeconfig(server="https://a:port").encode(),
        kubeconfig(server="ftp://a").encode(),
        kubeconfig(ca="no certificate").encode(),
        kubeconfig(user="exec: {apiVersion: v9, command: no-such-command}").encode(),
        kubeconfig(
            user="exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: no-such}"
        ).encode(),
        kubeconfig(user="tokenFile: /no/such/file").encode(),
        kubeconfig(user="auth-provider: {name: gcp}").encode(),
        kubeconfig(user="token: ümläut").encode(),
    ],
)
def test_given_a_kubeconfig_that_cannot_be_used_when_a_hook_runs_then_another_is_waited_for(
    model: Model, files: Files, text: bytes
):
    files.admin.write_bytes(text)

    assert isinstance(model.hook(), ops.WaitingStatus)


def check(fault: str, status: ops.StatusBase) -> None:
    """One line that says what is the matter."""
    assert isinstance(status, ops.BlockedStatus | ops.WaitingStatus), fault
    assert status.message.isprintable(), fault
    assert len(status.message) < 300, fault
    assert "None" not in status.message, fault
    assert ADMIN_TOKEN not in status.message, fault
    if "timeout" in fault:
        assert status.message == "waiting for the Kubernetes API: it does not answer in time"
    if fault == "connection refused":
        assert "Connection refused" in status.message
    if fault == "401":
        assert status == ops.WaitingStatus(
            "waiting for the Kubernetes API to accept /root/.kube/config: 401 'Unauthorized'"
        )
    if fault == "403":
        assert status.message.startswith("the cluster refuses /root/.kube/config: "), fault
        assert isinstance(status, ops.BlockedStatus), fault
