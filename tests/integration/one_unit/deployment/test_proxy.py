"""Pods that reach AWS through a proxy only, which demands credentials and opens TLS.

The commands are those of docs/how-to/network.md, in their order.
"""

from __future__ import annotations

from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import arns, how_to, juju_status, logins, settled
from tests.integration.helpers import proxy as proxies
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import DEPLOYMENT, Cluster

from testbed.connectproxy import PASSWORD, ConnectProxy

pytestmark = pytest.mark.slow

SELF_SIGNED = "self-signed-certificates"
URL = "http://user:password@proxy.example.com:3128"
TRUST, *USE, DISABLE, DISTRUST = (
    line.removeprefix("juju ") for line in how_to.shown("network.md", "Through a proxy")
)
STS = "sts.us-east-1.amazonaws.com:443"


@pytest.fixture(scope="module")
def proxy(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[ConnectProxy]:
    """Return the pods' only way to AWS from now on."""
    deployed.deploy(SELF_SIGNED, channel="1/stable")
    juju_status.wait_until_active(deployed)
    authority = proxies.authority_of(deployed, f"{SELF_SIGNED}/0")
    with proxies.only_way_to_aws(cluster, authority) as proxy:
        yield proxy


def run(juju: jubilant.Juju, cluster: Cluster, commands: list[str], proxy: ConnectProxy) -> None:
    """Run commands of the page, and wait until the new pods alone serve."""
    for command in commands:
        juju.cli(*command.replace(URL, proxy.url).replace("proxy-ca", SELF_SIGNED).split())
    juju_status.wait_until_active(juju)
    settled.end_former_pods(juju, cluster)


def test_given_no_way_to_aws_but_a_proxy_when_the_page_is_followed_then_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster, proxy: ConnectProxy
) -> None:
    assert cluster.whoami("knobby").returncode != 0

    run(deployed, cluster, [TRUST, *USE], proxy)

    assert logins.wait_for_login(cluster) == "knobby"
    assert set(proxy.seen.requests) == {"GET /"}
    assert proxy.seen.refused == []


def test_given_the_proxy_when_a_mapping_changes_then_the_pods_see_it_without_the_proxy(
    deployed: jubilant.Juju, cluster: Cluster, proxy: ConnectProxy
) -> None:
    cluster.map("knobby", arns.ROLE, "proxied")
    eventually(lambda: logins.wait_for_login(cluster) == "proxied", "mapped")
    cluster.map("knobby", arns.ROLE, "knobby", "view")

    assert set(proxy.seen.asked) == {STS}


def test_given_the_proxys_credentials_then_juju_and_the_deployment_do_not_show_them(
    deployed: jubilant.Juju, cluster: Cluster, proxy: ConnectProxy
) -> None:
    shown = [
        deployed.cli("status", "--format", "json"),
        deployed.cli("show-unit", "aws-iam/0", f"{SELF_SIGNED}/0"),
        deployed.debug_log(limit=2000),
        cluster.kubectl("get", "all,configmap", "-n", "kube-system", "-o", "json"),
    ]

    assert [text for text in shown if PASSWORD in text] == []


def test_given_the_proxy_when_it_is_no_longer_used_then_people_log_in_without_it(
    deployed: jubilant.Juju, cluster: Cluster, proxy: ConnectProxy
) -> None:
    run(deployed, cluster, [DISABLE, DISTRUST], proxy)

    shown = cluster.kubectl("get", *DEPLOYMENT, "-o", "json")
    assert "PROXY" not in shown
    assert "SSL_CERT_DIR" not in shown
