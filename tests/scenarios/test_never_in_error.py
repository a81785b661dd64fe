"""Whatever the cluster, the machine or the charm itself does: a status, and never a hook in error.

A hook that raises fails these tests by itself: `Model.hook` lets exceptions through. It also fails
them if a status is longer than a line that Juju takes, or has a character that is not printable.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import ops
import ops.testing
import pytest
from tests.fakes import alarms
from tests.fakes.acting import ROLE
from tests.fakes.juju.model import HOOK_TOOLS, Model
from tests.fakes.kubernetes.faults import COMMON, FAULTS, answer, refusal
from tests.fakes.kubernetes.paths import (
    APPLIED,
    DEPLOYMENT,
    MAPPINGS,
    PODS,
    SECRET,
    SERVICE,
    SETTLED,
)
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import ADMIN_TOKEN, Files, kubeconfig

APPLIES = tuple(f"PATCH {path}" for path in APPLIED)
ROLLOUT = f"GET {DEPLOYMENT}"
# One of each kind: an apply, a look at one object, a list.
KINDS = (f"PATCH {SERVICE}", f"GET {SECRET}", f"GET {MAPPINGS}")
# What a reconcile has an answer to.
ANSWERED = {
    *((f"GET {path}", "404") for path in APPLIED),
    *((f"PATCH {SERVICE}", name) for name in ("422", "empty object")),
    *((f"GET {SECRET}", name) for name in ("404 plain", "empty object")),
    *((f"GET {MAPPINGS}", name) for name in ("404", "404 plain", "429")),
}
# How the lines begin that are the same wherever a fault is met.
SAID = {
    "read timeout": "waiting for the Kubernetes API: it does not answer in time",
    "401": "waiting for the Kubernetes API to accept /root/.kube/config: 401 'Unauthorized'",
    "403": "the cluster rejects ",
}
LONG = "x" * 140_000


def check(fault: str, status: ops.StatusBase) -> None:
    """One line that says what is the matter."""
    assert isinstance(status, ops.BlockedStatus | ops.WaitingStatus), fault
    assert "None" not in status.message, fault
    assert ADMIN_TOKEN not in status.message, fault
    assert status.message.startswith(SAID.get(fault, "")), fault
    assert isinstance(status, ops.BlockedStatus) or fault != "403"
    if fault == "connection refused":
        assert "Connection refused" in status.message


@pytest.fixture
def deploying(model: Model) -> Model:
    """About to deploy everything, in one hook."""
    model.answer()
    model.hook()
    model.answer()
    return model


def test_given_a_unit_that_deploys_then_every_request_of_it_is_tried_here(
    deploying: Model, api: FakeCluster
):
    api.forget()
    deploying.hook()
    assert {*api.requests} <= {*SETTLED, *APPLIES, ROLLOUT}
    api.forget()
    deploying.hook()
    assert {*api.requests} == {*SETTLED}


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


@pytest.mark.parametrize("request_", [*dict.fromkeys([*SETTLED, *APPLIES, ROLLOUT])])
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


KUBECONFIGS = [
    *(b"\xff\xfe\x00", b"[]", b"clusters: {}", b"&a [*a, *a]"),
    *(kubeconfig(server=url).encode() for url in ("not a url", "https://a:port", "ftp://a")),
    kubeconfig(ca="no certificate").encode(),
    *(
        kubeconfig(user=user).encode()
        for user in (
            "exec: {apiVersion: v9, command: no-such-command}",
            "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: no-such}",
            "tokenFile: /no/such/file",
            "auth-provider: {name: gcp}",
            "token: ümläut",
        )
    ),
]


@pytest.mark.parametrize("text", KUBECONFIGS)
def test_given_a_kubeconfig_that_cannot_be_used_when_a_hook_runs_then_another_is_waited_for(
    model: Model, files: Files, text: bytes
):
    files.admin.write_bytes(text)

    assert isinstance(model.hook(), ops.WaitingStatus)


# What others write, at whatever length.


@pytest.mark.parametrize("name", ["odd", LONG, "a\0b\n\u202e"])
@pytest.mark.parametrize(("arn", "shown"), [(LONG, "xxx...'"), ("a\0b", r"'a\x00b'")])
def test_given_a_mapping_that_somebody_made_to_harm_when_a_hook_runs_then_the_unit_is_active(
    deployed: Model, api: FakeCluster, name: str, arn: str, shown: str
):
    body = {"items": [{"metadata": {"name": name, "uid": "1"}, "spec": {"arn": arn}}]}
    api.fail(answer(200, json.dumps(body).encode()), request=f"GET {MAPPINGS}")

    status = deployed.hook()

    assert isinstance(status, ops.ActiveStatus)
    assert status.message.startswith(f"2/2 pods, 1 mapping, 1 broken mapping: {name[0]}")
    assert f"{shown} is not an ARN such as " in status.message


@pytest.mark.parametrize("message", [LONG, "a\0b\x1b\u2028"])
def test_given_such_a_refusal_of_the_cluster_when_a_hook_runs_then_the_status_is_one_line(
    deployed: Model, api: FakeCluster, message: str
):
    api.fail(refusal(403, message), request=f"GET {SERVICE}")

    assert isinstance(deployed.hook(), ops.BlockedStatus)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"kind": "\xff"}'])
@pytest.mark.parametrize("request_", [f"GET {SERVICE}", f"GET {MAPPINGS}"])
def test_given_something_that_is_not_kubernetes_when_a_hook_runs_then_the_status_says_that(
    deployed: Model, api: FakeCluster, request_: str, body: bytes
):
    api.fail(answer(200, body), request=request_)

    status = deployed.hook()

    assert isinstance(status, ops.WaitingStatus)
    assert status.message.startswith("something other than Kubernetes answers: ")


# Bugs of the charm are told as bugs, with their place. The traceback shows lines of code, so the
# text that nobody may see stands outside of them.

BUG = re.compile(r"internal error KeyError at (\w+\.py):\d+; run: juju debug-log --include (.+)")
TEXT = "secret-text"


def bug(*_: object, **__: object) -> Any:
    raise KeyError(TEXT)


@pytest.fixture
def buggy(deployed: Model) -> Iterator[Model]:
    """Settled, and about to fail by itself."""
    deployed.has_bugs = True
    yield deployed
    assert TEXT not in deployed.log()


@pytest.mark.parametrize(
    ("leader", "what"),
    [
        # In the look at the cluster, in the step that ends access, and in what comes later.
        *((0, f"GET {path}") for path in (SERVICE, MAPPINGS, DEPLOYMENT)),
        # Of a unit that does not lead, and of the alarm.
        *((None, "config-get"), (0, "secret-info-get")),
    ],
)
def test_given_a_bug_when_a_hook_runs_then_the_status_names_it_and_the_log_has_no_text_of_it(
    buggy: Model,
    api: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    leader: int | None,
    what: str,
):
    buggy.leader = leader
    api.add_mapping("dev", ROLE, ROLE, expires=alarms.after(api, 600))
    with monkeypatch.context() as patch:
        if "/" in what:
            api.fail(bug, request=what)
        else:
            patch.setattr(HOOK_TOOLS, "around", lambda t: bug() if t == what else nullcontext())
        status = buggy.hook()
    api.recover()

    assert isinstance(status, ops.BlockedStatus)
    found = BUG.fullmatch(status.message)
    assert found, status
    assert found[2] == "aws-iam/0"
    assert len(status.message) <= 110
    line = next(line for line in buggy.units[0].context.juju_log if line.level == "ERROR")
    assert line.message.startswith("internal error KeyError at\n")
    assert "in bug" in line.message
    assert "not Kubernetes" not in buggy.log()
    assert buggy.units[0].alarms or "secret" in what
    assert buggy.hook().name == "active"


def test_given_bugs_when_the_unit_goes_then_it_is_not_blocked_and_the_log_says_what_stays(
    buggy: Model, api: FakeCluster, files: Files, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", bug)
        status = buggy.hook(buggy.on.stop())
    # Juju 4 ends a going unit that is blocked before its last hooks.
    assert isinstance(status, ops.WaitingStatus)
    assert BUG.fullmatch(status.message)

    api.fail(bug, request=f"GET {SERVICE}")
    buggy.hook(buggy.on.remove())
    assert not files.webhook.exists()
    assert "internal error KeyError" in buggy.log()
    assert "remove it with: kubectl" in buggy.log()


@pytest.mark.parametrize(("action", "path"), [("list-mappings", MAPPINGS), ("check", PODS)])
def test_given_a_bug_when_an_action_runs_then_it_fails_and_names_it(
    buggy: Model, api: FakeCluster, action: str, path: str
):
    api.fail(bug, request=f"GET {path}")

    with pytest.raises(ops.testing.ActionFailed) as failure:
        buggy.action(action)

    assert BUG.fullmatch(failure.value.message)


def test_given_a_hook_with_nothing_to_do_then_only_the_charms_own_debug_lines_reach_juju(
    deployed: Model, api: FakeCluster
):
    lines = deployed.units[0].context.juju_log
    before = len(lines)

    def say(_: object) -> None:
        for name in ("reconcile", "httpx2", "lightkube.core", "ops.model", None):
            logging.getLogger(name).debug(f"of {name}")

    api.fail(say, request=f"GET {SERVICE}", nth=1)
    deployed.hook()

    assert [(line.level, line.message) for line in lines[before:]] == [("DEBUG", "of reconcile")]
