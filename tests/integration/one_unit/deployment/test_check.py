"""The action that says which step of a login works, and what mends one that does not.

Each way in which a step can fail is made on the real parts, and mended by the action's own command
if it gives one.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import arns, checking, how_to, testbed_only
from tests.integration.helpers import proxy as proxies
from tests.integration.helpers.checking import check_until
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import DEPLOYMENT, MAPPINGS, PODS, SERVICE, Cluster

from testbed.cluster import pki

pytestmark = pytest.mark.slow

MACHINE = "kubernetes-control-plane/0"
REPLICA_SETS = ("-n", "kube-system", "rs")
NEXT_TO_NOTHING = {
    "2-authenticator": "not checked",
    "3-certificate": "not checked",
    "5-sts": "not checked",
    "6-end-to-end": "not checked",
    "7-mappings": "not checked",
}


@pytest.fixture(autouse=True)
def ok_again(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[None]:
    """A test that leaves something broken fails itself, not the next one."""
    yield
    checking.wait_until_ok(deployed)


def test_given_the_commands_of_the_page_when_run_then_they_say_that_all_is_well(
    reader: Reader,
) -> None:
    shown = how_to.shown("errors.md", "Nobody can log in")
    commands = [line for line in shown if line.startswith("juju ")]
    assert len(commands) == 4
    for command in commands:
        assert checking.ALL_OK in reader.run(command), command


# Step 1.


def test_given_an_api_server_that_is_down_then_only_the_machines_own_steps_are_checked(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    deployed.exec("systemctl stop snap.kube-apiserver.daemon", unit=MACHINE)
    try:
        results = check_until(
            deployed, {"1-kubernetes": "failed", "4-webhook": "failed", **NEXT_TO_NOTHING}
        )
    finally:
        deployed.exec("systemctl start snap.kube-apiserver.daemon", unit=MACHINE)

    assert results["1-kubernetes"].endswith(
        f"\nrun: juju exec --unit {MACHINE} -- systemctl start snap.kube-apiserver.daemon"
    )
    assert "no API server runs on this machine" in results["4-webhook"]


def test_given_a_clock_that_is_behind_then_the_api_server_and_the_pods_show_it(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    with checking.broken(deployed, "clock:-1200"):
        results = check_until(deployed, {"1-kubernetes": "failed", "5-sts": "failed"})

    assert re.search(r"clock is (1199|120\d) s behind the API server's", results["1-kubernetes"])
    assert "disagree with this machine's clock" in results["5-sts"]
    for step in ("1-kubernetes", "5-sts"):
        assert results[step].endswith(
            f"\nrun: juju exec --unit {MACHINE} -- timedatectl set-ntp true"
        )


# Step 2.


def test_given_an_object_that_is_gone_then_it_is_named_and_the_command_brings_it_back(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    def delete() -> None:
        gone = ("clusterrolebinding", "aws-iam-authenticator", "--ignore-not-found")
        cluster.kubectl("delete", *gone)

    results = check_until(deployed, {"2-authenticator": "failed"}, breaks=delete)

    assert "lacks ClusterRoleBinding/aws-iam-authenticator" in results["2-authenticator"]
    checking.run_remedy(deployed, results["2-authenticator"])


def test_given_a_service_of_other_pods_then_it_is_named_and_the_command_corrects_it(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    selector = json.dumps({"spec": {"selector": {"k8s-app": "another"}}})

    def patch() -> None:
        cluster.kubectl("patch", *SERVICE, "-p", selector)

    broken = {
        "2-authenticator": "failed",
        "3-certificate": "not checked",
        "6-end-to-end": "failed",
    }
    # kube-proxy hears of it a moment later, and logins arrive until then.
    results = check_until(deployed, broken, breaks=patch)
    checking.run_remedy(deployed, results["2-authenticator"])

    assert "was changed: selector" in results["2-authenticator"]
    assert results["6-end-to-end"].endswith("\nfix 2-authenticator first")


def test_given_no_node_with_room_then_what_holds_the_pods_up_is_named(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    with cluster.without_room():
        cluster.kubectl("delete", *PODS, "--force", "--grace-period=0")
        results = check_until(
            deployed,
            {
                "2-authenticator": "failed",
                "3-certificate": "not checked",
                "5-sts": "not checked",
                "6-end-to-end": "not checked",
            },
        )

    assert "Unschedulable: " in results["2-authenticator"]
    assert results["2-authenticator"].endswith("kubectl uncordon NODE")


def test_given_an_image_that_cannot_be_pulled_then_it_is_named_and_the_others_serve_on(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    shown = cluster.get(*DEPLOYMENT)
    (image,) = [c["image"] for c in shown["spec"]["template"]["spec"]["containers"]]
    set_image = ("set", "image", *DEPLOYMENT)
    cluster.kubectl(*set_image, "aws-iam-authenticator=registry.invalid/nothing:v0")
    try:
        cluster.kubectl(
            *("wait", *PODS),
            "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImagePull",
            "--field-selector=status.phase=Pending",
            "--timeout=60s",
        )
        results = check_until(deployed, {"2-authenticator": "failed"})
    finally:
        cluster.kubectl(*set_image, f"aws-iam-authenticator={image}")

    assert "(image registry.invalid/nothing:v0)\n" in results["2-authenticator"]
    assert "juju config aws-iam image=IMAGE" in results["2-authenticator"]


# Step 3, and the part of step 6 that needs the Service.


def test_given_a_service_that_does_not_answer_then_certificate_and_whole_way_fail(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    with checking.broken(deployed, "service"):
        results = check_until(deployed, {"3-certificate": "failed", "6-end-to-end": "failed"})

    assert "the Service does not serve it" in results["3-certificate"]
    assert "did not arrive at any pod" in results["6-end-to-end"]
    assert "k8s-aws-v1" not in f"{results}"


# Step 4 is in three_units/test_units.py.


# Step 5.


@pytest.mark.parametrize(
    ("what", "seen", "remedy"),
    [
        ("dns", "do not reach sts.", "let the DNS that pods use resolve sts."),
        ("sts", "do not reach sts.", "allow the nodes its TCP port 443"),
        ("sts:silent", "do not reach sts.", "allow the nodes its TCP port 443"),
        ("sts:failing", "get an unexpected answer from sts.", "what the pods say"),
        ("sts:throttled", "are told by sts.", "let people log in through the STS of another"),
    ],
)
def test_given_no_way_to_aws_then_the_step_says_what_is_in_it(
    deployed: jubilant.Juju, cluster: Cluster, what: str, seen: str, remedy: str
) -> None:
    # The pods keep their connections to an STS, and look up only one that they have none to.
    region = "ap-south-2" if what == "dns" else ""
    with checking.broken(deployed, what):
        results = check_until(deployed, {"5-sts": "failed"}, region=region)

    found, _, shown = results["5-sts"].partition("\n")
    assert found.startswith(f"failed: the pods {seen}")
    assert shown.startswith(remedy)


@contextlib.contextmanager
def proxied(cluster: Cluster, url: str) -> Iterator[None]:
    """Let the pods reach AWS through a proxy only, for as long as the block."""
    with_proxy = (f"HTTPS_PROXY={url}", "NO_PROXY=10.152.183.1")
    cluster.kubectl("set", "env", *DEPLOYMENT, *with_proxy)
    try:
        cluster.kubectl("rollout", "status", *DEPLOYMENT, "--timeout=120s")
        yield
    finally:
        cluster.kubectl("set", "env", *DEPLOYMENT, "HTTPS_PROXY-", "NO_PROXY-")
        cluster.kubectl("rollout", "status", *DEPLOYMENT, "--timeout=120s")
        # A former ReplicaSet keeps the password, which another file looks for.
        found = cluster.get(*REPLICA_SETS)["items"]
        former = [each["metadata"]["name"] for each in found if not each["status"]["replicas"]]
        cluster.kubectl("delete", *REPLICA_SETS, *former)


@pytest.mark.parametrize(
    ("change", "seen", "remedy"),
    [
        ("", "x509: ", "aws-iam:receive-ca-cert"),
        ("only-for", "do not reach sts.", "let the proxy serve"),
        ("http", "proxyconnect", "let the proxy serve"),
    ],
    ids=["opens TLS", "wants another password", "speaks no TLS itself"],
)
def test_given_a_proxy_that_does_not_let_the_pods_through_then_the_step_says_why(
    deployed: jubilant.Juju, cluster: Cluster, change: str, seen: str, remedy: str
) -> None:
    testbed_only.require_lab("only the testbed has this proxy")
    with proxies.only_way_to_aws(cluster, pki.new_authority("not trusted")) as proxy:
        url = proxy.url.replace(change, {"http": "https"}.get(change, "not-for"), 1)
        with proxied(cluster, url if change else proxy.url):
            results = check_until(deployed, {"5-sts": "failed"})

    found, _, shown = results["5-sts"].partition("\n")
    assert seen in found
    assert remedy in shown
    assert "only-for-the-testbed" not in f"{results}"


# Step 7.


def test_given_mappings_that_need_attention_then_they_are_named(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    cluster.map("twin", arns.ROLE, "twin")
    cluster.map("pathed", arns.ROLE_WITH_PATH, "dev")
    try:
        results = check_until(deployed, {"7-mappings": "failed"})
    finally:
        cluster.kubectl("delete", MAPPINGS, "twin", "pathed")

    assert "3 broken mappings: " in results["7-mappings"]
    assert "no login has a role path" in results["7-mappings"]
    assert "same ARN as mapping" in results["7-mappings"]
