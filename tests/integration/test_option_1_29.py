"""Where an option, and not the relation, brings the webhook: the action `check`, and a removal.

The control plane's own webhook stands in between, and answers a refused login late.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import bundle, checking, how_to, juju_status, kubernetes, logins
from tests.integration.helpers.checking import check_until
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster

pytestmark = pytest.mark.slow

PAGE = "remove.md"
CHOSEN = "10.152.183.60"
KUBE_SYSTEM = ("-n", "kube-system")
NOT_SET = {"4-webhook": "failed", "6-end-to-end": "failed"}
SERVICE = (*KUBE_SYSTEM, "service", "aws-iam-authenticator")


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.29, whose operator has not set the option yet."""
    bundle.deploy(juju, channel="1.29/stable")
    juju_status.wait_until(juju, "blocked")
    return juju


def test_given_an_option_that_is_not_set_then_the_command_sets_it_and_all_is_ok(
    deployed: jubilant.Juju,
) -> None:
    results = check_until(deployed, NOT_SET)
    assert "did not arrive at any pod" in results["6-end-to-end"]

    checking.run_remedy(deployed, results["4-webhook"])
    juju_status.wait_until_active(deployed)
    checking.wait_until_ok(deployed)


def test_given_the_option_then_a_refused_login_arrives_without_a_wait_for_the_answer(
    deployed: jubilant.Juju,
) -> None:
    results = check_until(deployed, {})
    assert "the API server asks the pods" in results["6-end-to-end"]


def test_given_an_option_that_is_reset_then_the_step_says_so(deployed: jubilant.Juju) -> None:
    deployed.config("kubernetes-control-plane", {"authn-webhook-endpoint": ""})
    # The control plane has its hook, and aws-iam none until update-status.
    juju_status.wait_until_active(deployed)

    results = check_until(deployed, NOT_SET)

    assert "\nrun: juju config kubernetes-control-plane authn-" in results["4-webhook"]
    assert results["6-end-to-end"].endswith("\nfix 4-webhook first")


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the cluster as its administrator and people see it while aws-iam is there."""
    return kubernetes.connect(deployed, tmp_path_factory.mktemp("kubeconfigs"))


@pytest.fixture(scope="module")
def address(deployed: jubilant.Juju, cluster: Cluster) -> str:
    """Set the option again, and return the Service's address that it names."""
    checking.run_remedy(deployed, check_until(deployed, NOT_SET, "aws-iam/leader")["4-webhook"])
    juju_status.wait_until_active(deployed)
    return cluster.get(*SERVICE)["spec"]["clusterIP"]


def test_given_the_option_when_removed_then_no_other_service_gets_the_address(
    deployed: jubilant.Juju, cluster: Cluster, address: str
) -> None:
    juju_status.remove(deployed, "aws-iam")

    with pytest.raises(AssertionError, match="provided IP is already allocated"):
        _take(cluster, address)


def test_given_the_kept_service_when_somebody_deletes_it_then_its_address_is_not_free(
    deployed: jubilant.Juju, cluster: Cluster, address: str
) -> None:
    cluster.kubectl("delete", *SERVICE, "--wait=false")

    with pytest.raises(AssertionError, match="provided IP is already allocated"):
        _take(cluster, address)


def test_given_the_kept_service_when_deployed_again_then_people_log_in_without_another_step(
    deployed: jubilant.Juju, cluster: Cluster, address: str, tmp_path: Path
) -> None:
    _deploy(deployed)
    juju_status.wait_until_active(deployed)

    assert cluster.get(*SERVICE)["spec"]["clusterIP"] == address
    logins.first_login(deployed, tmp_path)


def test_given_an_address_of_ones_choice_when_set_as_the_page_says_then_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster, address: str, tmp_path: Path
) -> None:
    shown = how_to.shown("deploy.md", "By the control plane")
    for command in (line for line in shown if line.startswith("juju ")):
        deployed.cli(*command.split()[1:])
    juju_status.wait_until_active(deployed)

    logins.first_login(deployed, tmp_path)
    found = cluster.get(*KUBE_SYSTEM, "services", "-l", "aws-iam=true")["items"]
    assert {service["spec"]["clusterIP"] for service in found} == {address, CHOSEN}


def test_given_the_application_that_went_first_then_the_page_frees_the_address(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    juju_status.remove(deployed, "aws-iam")
    (kept,) = cluster.get(*KUBE_SYSTEM, "services", "-l", "aws-iam=true")["items"]
    reset, show, delete = how_to.shown(PAGE, "If the application went first")
    deployed.cli(*shlex.split(reset)[1:])
    asked = shlex.split(show)[1:]
    eventually(lambda: CHOSEN not in deployed.cli(*asked), "reset", juju_status.WAIT_SECONDS)
    named = delete.replace("aws-iam-authenticator", kept["metadata"]["name"])
    deployed.cli(*shlex.split(named)[1:])

    _take(cluster, CHOSEN)


def test_given_a_removal_as_the_page_has_it_then_no_service_is_left(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    _deploy(deployed)
    juju_status.wait_until(deployed, "blocked")
    checking.run_remedy(deployed, check_until(deployed, NOT_SET, "aws-iam/leader")["4-webhook"])
    juju_status.wait_until_active(deployed)

    (unit,) = deployed.status().get_units("aws-iam")
    reset, wanted, _ = how_to.shown(PAGE, "On Charmed Kubernetes 1.29 and newer")
    deployed.cli(*shlex.split(reset)[1:])
    with juju_status.frequent_update_status(deployed):
        eventually(
            lambda: juju_status.message(deployed, unit).startswith(wanted.partition(";")[0]),
            "the unit has seen the reset",
            juju_status.WAIT_SECONDS,
        )
    juju_status.remove(deployed, "aws-iam")

    assert cluster.get(*KUBE_SYSTEM, "services", "-l", "aws-iam=true")["items"] == []


def _deploy(juju: jubilant.Juju) -> None:
    """Deploy the application again, on the control plane that is there."""
    juju.deploy(bundle.packed_charm(), "aws-iam", base=bundle.BASE)
    juju.integrate("aws-iam:control-plane", "kubernetes-control-plane:juju-info")
    juju.integrate("aws-iam:certificates", "easyrsa:client")


def _take(cluster: Cluster, address: str) -> None:
    """Create a Service with an address of one's choice, in a namespace of one's own."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "taker"},
        "spec": {"clusterIP": address, "ports": [{"port": 443}]},
    }
    cluster.kubectl("create", "-n", "default", "-f", "-", stdin=json.dumps(service))
