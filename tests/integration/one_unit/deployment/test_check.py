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
from tests.integration.helpers import checking
from tests.integration.helpers import proxy as proxies
from tests.integration.helpers.checking import check_until
from tests.integration.helpers.kubernetes import DEPLOYMENT, PODS, SERVICE, Cluster

from testbed.cluster import pki

pytestmark = pytest.mark.slow

MACHINE = "kubernetes-control-plane/0"
REPLICA_SETS = ("-n", "kube-system", "rs")
NEXT_TO_NOTHING = {
    "2-pods": "not checked",
    "4-sts": "not checked",
    "5-end-to-end": "not checked",
}


@pytest.fixture(autouse=True)
def ok_again(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[None]:
    """A test that leaves something broken fails itself, not the next one."""
    yield
    checking.wait_until_ok(deployed)


# Step 1.


def test_given_an_api_server_that_is_down_then_only_the_machines_own_steps_are_checked(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    deployed.exec("systemctl stop snap.kube-apiserver.daemon", unit=MACHINE)
    try:
        results = check_until(
            deployed, {"1-kubernetes": "failed", "3-webhook": "failed", **NEXT_TO_NOTHING}
        )
    finally:
        deployed.exec("systemctl start snap.kube-apiserver.daemon", unit=MACHINE)

    assert results["1-kubernetes"].endswith(
        f"\nrun: juju exec --unit {MACHINE} -- systemctl start snap.kube-apiserver.daemon"
    )
    assert "no API server runs on this machine" in results["3-webhook"]


def test_given_a_clock_that_is_behind_then_the_api_server_and_the_pods_show_it(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    with checking.broken(deployed, "clock:-1200"):
        results = check_until(deployed, {"1-kubernetes": "failed", "4-sts": "failed"})

    assert re.search(r"clock is (1199|120\d) s behind the API server's", results["1-kubernetes"])
    assert "disagree with this machine's clock" in results["4-sts"]
    for step in ("1-kubernetes", "4-sts"):
        assert results[step].endswith(
            f"\nrun: juju exec --unit {MACHINE} -- timedatectl set-ntp true"
        )


# Step 2.


def test_given_no_node_with_room_then_what_holds_the_pods_up_is_named(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    with cluster.without_room():
        cluster.kubectl("delete", *PODS, "--force", "--grace-period=0")
        results = check_until(
            deployed,
            {
                "2-pods": "failed",
                "4-sts": "not checked",
                "5-end-to-end": "not checked",
            },
        )

    assert "Unschedulable: " in results["2-pods"]
    assert results["2-pods"].endswith("kubectl uncordon NODE")


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
        results = check_until(deployed, {"2-pods": "failed"})
    finally:
        cluster.kubectl(*set_image, f"aws-iam-authenticator={image}")

    assert "(image registry.invalid/nothing:v0)\n" in results["2-pods"]
    assert "juju config aws-iam image=IMAGE" in results["2-pods"]


# Step 3 is in three_units/test_units.py.


# Step 4.

OPEN_WAY = r"let the DNS that pods use resolve sts\.\S+, and allow the nodes its TCP port 443; "


@pytest.mark.parametrize(
    ("what", "seen", "remedy"),
    [
        ("dns", "do not reach sts.", OPEN_WAY),
        ("sts", "do not reach sts.", OPEN_WAY),
        ("sts:silent", "do not reach sts.", OPEN_WAY),
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
        results = check_until(deployed, {"4-sts": "failed"}, region=region)

    found, _, shown = results["4-sts"].partition("\n")
    assert found.startswith(f"failed: the pods {seen}")
    assert re.match(remedy, shown)


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
    with proxies.only_way_to_aws(cluster, pki.new_authority("not trusted")) as proxy:
        url = proxy.url.replace(change, {"http": "https"}.get(change, "not-for"), 1)
        with proxied(cluster, url if change else proxy.url):
            results = check_until(deployed, {"4-sts": "failed"})

    found, _, shown = results["4-sts"].partition("\n")
    assert seen in found
    assert remedy in shown
    assert "only-for-the-testbed" not in f"{results}"


# Step 5.


def test_given_a_service_that_does_not_answer_then_the_whole_way_fails(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    with checking.broken(deployed, "service"):
        results = check_until(deployed, {"5-end-to-end": "failed"})

    assert "did not arrive at any pod" in results["5-end-to-end"]
    assert "k8s-aws-v1" not in f"{results}"


def test_given_a_service_of_other_pods_then_the_command_corrects_it(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    selector = json.dumps({"spec": {"selector": {"k8s-app": "another"}}})

    def patch() -> None:
        cluster.kubectl("patch", *SERVICE, "-p", selector)

    # kube-proxy hears of it a moment later, and logins arrive until then.
    results = check_until(deployed, {"5-end-to-end": "failed"}, breaks=patch)
    checking.run_remedy(deployed, results["5-end-to-end"])
