"""Where an option, and not the relation, brings the webhook: the action `check`, and a removal.

The control plane's own webhook stands in between, and answers a refused login late.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import jubilant
import pytest
from tests.integration.helpers import (
    bundle,
    checking,
    how_to,
    juju_status,
    kubernetes,
    logins,
    units,
    upgrade_page,
)
from tests.integration.helpers.checking import check_until
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import SERVICE, Cluster

pytestmark = pytest.mark.slow

PAGE = "remove.md"
CHOSEN = "10.152.183.60"
LISTED = "- arn: arn:aws:iam::111122223333:role/k8s-listed-role\n  username: listed\n"
NOT_SET = {"3-webhook": "failed", "5-end-to-end": "failed"}


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.29, whose operator has not set the option yet."""
    bundle.deploy_by_hand(juju)
    juju_status.wait_until(juju, "blocked")
    return juju


def test_given_an_option_that_is_not_set_then_the_command_sets_it_and_all_is_ok(
    deployed: jubilant.Juju,
) -> None:
    results = check_until(deployed, NOT_SET)
    assert "did not arrive at any pod" in results["5-end-to-end"]
    assert results["5-end-to-end"].endswith("\nfix 3-webhook first")

    checking.run_remedy(deployed, results["3-webhook"])
    juju_status.wait_until_active(deployed)

    # A refused login arrives without a wait for the answer.
    assert "the API server asks the pods" in check_until(deployed, {})["5-end-to-end"]


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the cluster as its administrator and people see it while aws-iam is there."""
    return kubernetes.connect(deployed, tmp_path_factory.mktemp("kubeconfigs"))


@pytest.fixture(scope="module")
def address(deployed: jubilant.Juju, cluster: Cluster) -> str:
    """Return the Service's address, which the option names."""
    return cluster.address()


def test_given_the_option_when_removed_then_no_other_service_gets_the_address(
    deployed: jubilant.Juju, cluster: Cluster, address: str
) -> None:
    juju_status.remove(deployed, "aws-iam")

    with pytest.raises(AssertionError, match="provided IP is already allocated"):
        cluster.take_address(address)


def test_given_the_kept_service_when_somebody_deletes_it_then_its_address_is_not_free(
    deployed: jubilant.Juju, cluster: Cluster, address: str
) -> None:
    cluster.kubectl("delete", *SERVICE, "--wait=false")

    with pytest.raises(AssertionError, match="provided IP is already allocated"):
        cluster.take_address(address)


def test_given_the_kept_service_when_deployed_again_then_people_log_in_without_another_step(
    deployed: jubilant.Juju, cluster: Cluster, address: str, tmp_path: Path
) -> None:
    bundle.add(deployed)
    juju_status.wait_until_active(deployed)

    assert cluster.address() == address
    logins.first_login(deployed, tmp_path)


def test_given_the_application_that_went_first_then_the_page_frees_the_address(
    deployed: jubilant.Juju, cluster: Cluster, address: str
) -> None:
    juju_status.remove(deployed, "aws-iam")
    reset, show, delete = how_to.shown(PAGE, "If the application went first")
    how_to.run(deployed, reset)
    asked = shlex.split(show)[1:]
    eventually(lambda: address not in deployed.cli(*asked), "reset", juju_status.WAIT_SECONDS)
    how_to.run(deployed, delete)

    cluster.take_address(address)


def test_given_an_address_of_ones_choice_when_set_as_the_page_says_then_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    deployed.deploy(bundle.packed_charm(), "aws-iam", base=bundle.BASE)
    [choose] = how_to.shown("deploy.md", "Choose the address")
    how_to.run(deployed, choose)
    bundle.integrate(deployed)
    juju_status.wait_until(deployed, "blocked")
    how_to.run(deployed, upgrade_page.command_in_status(deployed))
    juju_status.wait_until_active(deployed)

    logins.first_login(deployed, tmp_path)
    assert cluster.address() == CHOSEN


def test_given_what_the_page_saves_when_put_back_then_people_keep_their_kubeconfig(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.config("aws-iam", {"mappings": LISTED})
    juju_status.wait_until_active(deployed)
    people = logins.first_login(deployed, tmp_path)
    monkeypatch.setenv("JUJU_MODEL", deployed.model or "")
    monkeypatch.setenv("KUBECONFIG", str(cluster.admin))
    reader = how_to.Reader(tmp_path)

    url = reader.follow(PAGE, "Save it first").strip()
    deployed.config("kubernetes-control-plane", {"authn-webhook-endpoint": ""})
    juju_status.wait_until_idle(deployed)
    juju_status.run_update_status(deployed, units.leader(deployed))
    juju_status.wait_until(deployed, "waiting")
    juju_status.remove(deployed, "aws-iam")
    known = {
        "CLUSTER_ID": kubernetes.cluster_id(tmp_path / "people.yaml"),
        "ADDRESS": str(urlsplit(url).hostname),
    }
    for block in how_to.blocks(PAGE, "Put it back"):
        reader.run(re.sub("|".join(known), lambda found: known[found[0]], block))
    juju_status.wait_until(deployed, "blocked")
    how_to.run(deployed, upgrade_page.command_in_status(deployed))
    juju_status.wait_until_active(deployed)

    assert logins.wait_for_login(people) == "knobby"
    assert cluster.address() == CHOSEN
    assert len(cluster.mapping_names()) == 2
