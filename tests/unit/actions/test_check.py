"""The action that checks the way of a login, step by step."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import threading
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import ops.testing
import pytest
from tests.fakes.checking import COMMAND
from tests.fakes.explaining import STS, log_line, sts_error
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import COMMON, ok, unreachable
from tests.fakes.kubernetes.paths import (
    CLUSTER_ROLE_BINDING,
    DEFINITION,
    DEPLOYMENT,
    PODS,
    POLICY,
    POLICY_BINDING,
    SECRET,
    SERVICE,
    TOKEN_REVIEWS,
    VERSION,
)
from tests.fakes.kubernetes.pods import UNSCHEDULABLE, waiting
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import add
from tests.fakes.machine import Files, rendered

import checks
from actions import check as action
from certificates import pem
from checks import certificate, end_to_end, sts, webhook

ACCOUNT = "arn:aws:iam::111122223333"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
FINE = dict.fromkeys(action.STEPS, "ok")
# The steps wait for each other's threads. On the cluster's clock, one that polls would use up the
# time of all others before they run at all.
REAL_TIME = SimpleNamespace(monotonic=time.monotonic, sleep=time.sleep)


@dataclasses.dataclass
class World:
    """What answers beside the API server: the Service and the pods.

    Attributes:
        leaf: The certificate that the Service shows; None if it does not answer.
        error: What the pods log of a login; empty if they log nothing.
        silent: The pods that do not answer this machine.
        tokens: The tokens that were sent, to a pod or to the API server.
    """

    api: FakeCluster
    leaf: bytes | None = b""
    error: str = sts_error("InvalidClientTokenId", "no")
    silent: tuple[str, ...] = ()
    tokens: list[str] = dataclasses.field(default_factory=list[str])
    logged: dict[str, list[tuple[float, bytes]]] = dataclasses.field(
        default_factory=lambda: {"a": [], "b": []}
    )

    def serve(self, *_: object) -> bytes:
        if self.leaf is None:
            raise ConnectionRefusedError(111, "Connection refused")
        return self.leaf

    def log(self, pod: str, error: str, client: str, arn: str = "", **fields: str) -> None:
        lines = self.logged[pod]
        lines.append((0, log_line(arn, error, 0, client=client, **fields)))
        self.api.add_lines(pod, *lines)

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


def pod_of(world: World) -> type[Any]:
    """The connection to a pod of ``world``."""

    class Pod:
        def __init__(self, address: str, seconds: float) -> None:
            self.name = address.rpartition(".")[2]
            if self.name in world.silent:
                raise TimeoutError("timed out")
            self.client = f"10.85.0.10:{self.name}"

        def announce(self) -> None:
            world.log(self.name, "", self.client, level="error", msg="unexpected request method")

        def log_in(self, token: str, seconds: float) -> None:
            world.tokens.append(token)
            if world.error:
                world.log(self.name, world.error, self.client)

        def close(self) -> None:
            pass

    return Pod


@pytest.fixture
def world(deployed: Model, api: FakeCluster, files: Files, monkeypatch: Any) -> World:
    """A deployment in which all is well: two pods, and an API server that asks them."""
    world = World(api)
    secret = api.objects[SECRET]["data"]
    world.leaf = pem.der(base64.b64decode(secret["cert.pem"]).decode())[0]

    for module in (action, checks, end_to_end, sts):
        monkeypatch.setattr(module, "time", REAL_TIME)
    # A login is in the log before the API server answers, or never.
    monkeypatch.setattr(end_to_end, "SETTLED_SECONDS", 0.1)
    # A busy machine may take a second between a login and the look for it.
    for module in (end_to_end, sts):
        monkeypatch.setattr(module, "LOG_SECONDS", 6.0)
    monkeypatch.setattr(sts, "Pod", pod_of(world))
    monkeypatch.setattr(certificate, "leaf", world.serve)
    for name in ("a", "b"):
        ready = [{"type": "Ready", "status": "True", "lastTransitionTime": None}]
        api.add_log(name, b"")
        api.add_pod(name, podIP=f"10.1.0.{name}", conditions=ready)
        template = api.objects[DEPLOYMENT]["spec"]["template"]["metadata"]
        api.objects[f"{PODS}/{name}"]["metadata"]["annotations"] = template["annotations"]
    api.fail(world.review, request=f"POST {TOKEN_REVIEWS}")
    process = files.machine.processes / "42"
    process.mkdir(parents=True)
    flags = f"/snap/kube-apiserver/current/kube-apiserver\0{webhook.FLAG}=/x"
    (process / "cmdline").write_text(flags)
    monkeypatch.setenv("JUJU_PRINCIPAL_UNIT", "kubernetes-control-plane/0")
    api.forget()
    return world


def check(model: Model, **params: Any) -> dict[str, Any]:
    """Return the results, also if the action fails."""
    message = ""
    try:
        results = model.action("check", **params)
    except ops.testing.ActionFailed as failure:
        message, results = failure.message, dict(model.units[0].context.action_results or {})
    assert message in ("", results["result"])
    assert bool(message) == ("failed" in states(results).values())
    return results


def states(results: dict[str, Any]) -> dict[str, str]:
    return {step: results[step].partition(":")[0] for step in action.STEPS}


def test_given_a_deployment_in_which_all_is_well_then_every_step_is_ok(
    world: World, deployed: Model
) -> None:
    results = deployed.action("check")

    assert states(results) == FINE
    assert results["result"] == "all 7 steps are ok"
    assert list(results) == sorted(results)


def test_given_a_check_then_it_changes_nothing(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    before = deployed.bags()
    check(deployed)
    assert api.changes == []
    assert deployed.bags() == before


def test_given_a_check_then_no_result_and_no_log_has_a_token(
    world: World, deployed: Model
) -> None:
    world.error = f"{STS}error during GET: k8s-aws-v1.x https://h/?X-Amz-Signature=f"
    shown = f"{check(deployed)} {deployed.log()}"

    assert len(world.tokens) == 3
    assert "k8s-aws-v1" not in shown
    assert "X-Amz-" not in shown
    assert not [token for token in world.tokens if token[20:] in shown]


@pytest.mark.parametrize("fault", COMMON)
def test_given_an_api_server_that_does_not_answer_then_the_other_steps_are_not_checked(
    world: World, deployed: Model, api: FakeCluster, fault: str
) -> None:
    api._faults.clear()
    api.fail(COMMON[fault], request=f"GET {VERSION}")
    found = states(check(deployed))
    api.recover()

    assert found == {
        **dict.fromkeys(action.STEPS, "not checked"),
        action.KUBERNETES: "failed",
        action.WEBHOOK: "ok",
    }


@pytest.mark.parametrize("fault", COMMON)
@pytest.mark.parametrize("path", [SECRET, PODS])
def test_given_any_answer_that_is_wrong_then_the_action_has_a_result_for_each_step(
    world: World, deployed: Model, api: FakeCluster, path: str, fault: str
) -> None:
    api._faults.clear()
    api.fail(COMMON[fault], request=f"GET {path}")
    found = states(check(deployed))
    api.recover()

    assert "failed" in found.values()


def test_given_a_clock_that_differs_then_the_first_step_fails(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api.ahead = 600
    results = check(deployed)

    assert states(results) == {**FINE, action.KUBERNETES: "failed"}
    assert results["result"] == "failed: 1-kubernetes"
    assert results[action.KUBERNETES].splitlines()[1] == (
        "run: juju exec --unit kubernetes-control-plane/0 -- timedatectl set-ntp true"
    )


def test_given_an_object_that_is_gone_then_the_second_step_names_it(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api.delete(CLUSTER_ROLE_BINDING)
    results = check(deployed)

    assert states(results)[action.AUTHENTICATOR] == "failed"
    assert "ClusterRoleBinding/aws-iam-authenticator" in results[action.AUTHENTICATOR]


def test_given_a_server_without_admission_policies_then_the_second_step_wants_none(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api.delete(POLICY_BINDING)
    assert "ValidatingAdmissionPolicyBinding" in check(deployed)[action.AUTHENTICATOR]

    api.delete(POLICY)
    api.version = "v1.28.15"
    assert states(check(deployed))[action.AUTHENTICATOR] == "ok"


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ({"containerStatuses": waiting("ErrImagePull")}, "set one that the nodes can pull: "),
        ({"containerStatuses": waiting("InvalidImageName")}, "set one that the nodes can pull: "),
        ({"conditions": UNSCHEDULABLE}, "make room on a node, or run: kubectl uncordon NODE"),
        ({"containerStatuses": waiting("CrashLoopBackOff")}, "what it says: kubectl "),
    ],
)
def test_given_a_pod_that_cannot_start_then_its_cause_decides_on_the_remedy(
    world: World, deployed: Model, api: FakeCluster, status: dict[str, Any], remedy: str
) -> None:
    api.objects[DEPLOYMENT]["status"]["availableReplicas"] = 1
    api.add_pod("c", **status)

    shown = check(deployed)[action.AUTHENTICATOR].splitlines()

    assert shown[0].startswith("failed: an authenticator pod cannot start: ")
    assert shown[1].startswith(remedy)


def test_given_a_role_without_rules_then_rbac_refuses_the_authenticator(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api.objects[CLUSTER_ROLE_BINDING]["subjects"] = []
    assert "RBAC does not let" in check(deployed)[action.AUTHENTICATOR]


def test_given_no_crd_then_mappings_are_not_checked(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api.delete(DEFINITION)
    found = states(check(deployed))
    assert (found[action.AUTHENTICATOR], found[action.MAPPINGS]) == ("failed", "not checked")


def test_given_no_pod_that_is_ready_then_what_needs_one_is_not_checked(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api._faults.clear()
    for name in ("a", "b"):
        api.delete(f"{PODS}/{name}")
    found = states(check(deployed))
    assert [found[s] for s in (action.CERTIFICATE, action.STS, action.END_TO_END)] == [
        "not checked"
    ] * 3


def test_given_a_pod_that_is_ending_then_it_is_not_asked(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api.objects[f"{PODS}/b"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert "answers the pod, " in check(deployed)[action.STS]


@pytest.mark.parametrize(("leaf", "said"), [(None, "Connection refused"), (b"x", "another")])
def test_given_a_service_that_serves_something_else_then_the_third_step_fails(
    world: World, deployed: Model, leaf: bytes | None, said: str
) -> None:
    world.leaf = leaf
    results = check(deployed)
    assert states(results) == {**FINE, action.CERTIFICATE: "failed"}
    assert said in results[action.CERTIFICATE]


def test_given_a_former_pod_of_a_renewal_when_it_answers_then_nobody_is_told_to_restart(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    world.leaf = b"x"
    api.objects[f"{PODS}/b"]["metadata"]["annotations"] = {"aws-iam/certificate-hash": "former"}
    results = check(deployed)
    assert states(results) == {**FINE, action.CERTIFICATE: "not checked"}
    assert results[action.CERTIFICATE].endswith(
        "a former pod answered, so check again in a minute"
    )


def test_given_a_service_of_other_pods_then_what_it_serves_is_not_asked(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    world.leaf = None
    api.objects[SERVICE]["spec"]["selector"] = {"k8s-app": "another"}
    results = check(deployed)
    assert states(results) == {
        **FINE,
        action.AUTHENTICATOR: "failed",
        action.CERTIFICATE: "not checked",
    }


def test_given_an_earlier_step_that_fails_then_it_is_mended_before_the_whole_way(
    world: World, deployed: Model, api: FakeCluster, files: Files
) -> None:
    api._faults.clear()
    assert "./dispatch" in check(deployed)[action.END_TO_END]
    files.webhook.unlink()
    assert check(deployed)[action.END_TO_END].endswith("\nfix 4-webhook first")


def test_given_a_webhook_file_that_was_changed_then_the_fourth_step_fails(
    world: World, deployed: Model, files: Files
) -> None:
    files.webhook.write_text(files.webhook.read_text() + "#\n")
    results = check(deployed)
    assert states(results) == {**FINE, action.WEBHOOK: "failed"}
    assert "was changed" in results[action.WEBHOOK]


def test_given_a_control_plane_that_forwards_elsewhere_then_the_fourth_step_fails(
    world: World, deployed: Model, files: Files
) -> None:
    files.auth_webhook.write_text("AWS_IAM_ENDPOINT = ''\n")
    assert states(check(deployed)) == {**FINE, action.WEBHOOK: "failed"}


def test_given_a_control_plane_that_uses_another_file_then_the_fourth_step_fails(
    world: World, deployed: Model
) -> None:
    deployed.units[0].control_plane["webhook_hash"] = '"of-another-file"'
    results = check(deployed)
    assert states(results) == {**FINE, action.WEBHOOK: "failed"}
    assert "does not use this unit's webhook file" in results[action.WEBHOOK]


def test_given_charmed_kubernetes_1_29_then_the_option_counts(
    world: World, deployed: Model, files: Files
) -> None:
    deployed.endpoints = ("control-plane",)
    files.auth_webhook.write_text(rendered(""))
    results = check(deployed)
    assert states(results) == {**FINE, action.WEBHOOK: "failed"}
    assert results[action.WEBHOOK].endswith("is not set\n" + COMMAND)

    files.auth_webhook.write_text(rendered(COMMAND.partition("endpoint=")[2]))
    assert states(check(deployed)) == FINE


def test_given_pods_without_a_way_to_sts_then_the_fifth_step_fails(
    world: World, deployed: Model
) -> None:
    world.error = f"{STS}error during GET: dial tcp 192.0.2.10:443: i/o timeout on x endpoint"
    results = check(deployed)
    assert states(results) == {**FINE, action.STS: "failed"}
    assert "get no answer from sts.us-east-1.amazonaws.com in time" in results[action.STS]


def test_given_a_pod_that_does_not_answer_then_it_is_named(world: World, deployed: Model) -> None:
    world.silent = ("b",)
    results = check(deployed)
    assert "pods b do not answer this machine, without a proxy (timed out)" in results[action.STS]


def test_given_no_region_then_the_sts_of_kubeconfigs_is_asked(
    world: World, deployed: Model
) -> None:
    results = check(deployed)
    assert results[action.STS].startswith("ok: sts.us-east-1.amazonaws.com answers all 2")


def test_given_a_check_when_refusals_are_listed_then_its_own_logins_are_not_among_them(
    world: World, deployed: Model
) -> None:
    check(deployed)
    world.log("a", "identity is not mapped", "10.85.0.10:9", arn=f"{ACCOUNT}:role/dev")

    shown = deployed.action("list-refusals")["refusals"].splitlines()

    assert len(world.tokens) == 3
    assert [line.split(",")[0] for line in shown[1:2]] == [f"{ACCOUNT}:role/dev"]
    assert "unknown access key" not in "".join(shown)
    assert "malformed token" not in "".join(shown)


def test_given_an_endpoint_of_the_service_that_is_no_pod_of_ours_then_the_second_step_names_it(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    def target(name: str) -> dict[str, str]:
        return {"kind": "Pod", "namespace": "kube-system", "name": name}

    api.objects[f"{SLICES}/aws-iam-authenticator-x"] = {
        "metadata": {
            "name": "aws-iam-authenticator-x",
            "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": "aws-iam-authenticator"},
        },
        "addressType": "IPv4",
        "endpoints": [
            {"addresses": ["10.1.0.1"], "targetRef": target("a")},
            {"addresses": ["10.1.0.8"], "targetRef": target("evil")},
            {"addresses": ["192.0.2.1"]},
        ],
    }

    shown = check(deployed)[action.AUTHENTICATOR]

    assert shown.splitlines()[0] == (
        "failed: the Service sends logins to others than the authenticator's pods: pod evil, "
        "192.0.2.1"
    )


def test_given_a_region_then_its_sts_is_asked(world: World, deployed: Model) -> None:
    results = check(deployed, region="us-west-2")
    assert results[action.STS].startswith("ok: sts.us-west-2.amazonaws.com answers all 2")
    assert {url_of(t).netloc for t in world.tokens} >= {"sts.us-west-2.amazonaws.com"}


def test_given_a_region_of_another_partition_then_the_action_says_so(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api._faults.clear()
    with pytest.raises(ops.testing.ActionFailed) as failure:
        deployed.action("check", region="cn-north-1")
    assert "region cn-north-1 is not in partition aws" in failure.value.message


def test_given_a_login_that_arrives_at_a_pod_that_is_ending_then_it_has_arrived(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api.objects[f"{PODS}/a"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert states(check(deployed)) == FINE


def test_given_a_login_that_arrives_nowhere_then_the_sixth_step_says_what_the_server_said(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api._faults.clear()
    results = check(deployed)
    assert states(results) == {**FINE, action.END_TO_END: "failed"}
    assert "the API server answers: the webhook refuses" in results[action.END_TO_END]


def test_given_a_log_that_can_be_read_only_later_then_a_login_in_it_has_arrived(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    looks = itertools.count()

    def not_yet(request: httpx2.Request) -> httpx2.Response | None:
        return unreachable(httpx2.ReadTimeout)(request) if next(looks) < 8 else None

    api.fail(not_yet, request=f"GET {PODS}/a/log")
    assert states(check(deployed))[action.END_TO_END] == "ok"


def test_given_an_api_server_that_reviews_no_token_then_the_sixth_step_says_why(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    api._faults.clear()
    api.fail(unreachable(httpx2.ReadTimeout), request=f"POST {TOKEN_REVIEWS}")
    results = check(deployed)
    api.recover()
    assert states(results) == {**FINE, action.END_TO_END: "failed"}
    assert "it does not answer in time" in results[action.END_TO_END]


def test_given_a_mapping_that_never_works_then_the_seventh_step_fails(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    add(api, "pathed", "team/dev", "dev")
    results = check(deployed)
    assert states(results) == {**FINE, action.MAPPINGS: "failed"}
    assert "pathed: no login has a role path" in results[action.MAPPINGS]


def test_given_an_answer_that_takes_all_of_the_time_then_no_other_request_begins(
    world: World, deployed: Model, api: FakeCluster
) -> None:
    def late(_: httpx2.Request) -> httpx2.Response:
        api.clock.sleep(action.SECONDS)
        return ok({"gitVersion": "v1.37.2"})

    api._faults.clear()
    api.fail(late, request=f"GET {VERSION}")
    found = states(check(deployed))
    api.recover()

    assert api.requests == [f"GET {VERSION}"]
    assert found[action.AUTHENTICATOR] == "failed"


def test_given_something_that_hangs_then_the_action_ends_in_time(
    world: World, deployed: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action, "SECONDS", 1.5)
    monkeypatch.setattr(sts, "LOG_SECONDS", 0.2)
    real = time.perf_counter
    monkeypatch.setattr(certificate, "leaf", lambda *_: threading.Event().wait(20))
    began = real()
    results = check(deployed)
    assert real() - began < 15
    assert states(results)[action.CERTIFICATE] == "failed"


@pytest.mark.usefixtures("world")
def test_given_a_unit_without_an_address_then_nothing_is_claimed(
    deployed: Model, api: FakeCluster
) -> None:
    api._faults.clear()
    deployed.peer.clear()
    found = states(check(deployed))
    assert found[action.WEBHOOK] == found[action.CERTIFICATE] == "not checked"
