"""vault as the authority: sealed at first, with two units, and below a root elsewhere."""

from __future__ import annotations

from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import (
    arns,
    bundle,
    certificates,
    juju_status,
    kubernetes,
    logins,
    units,
    vault,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster

pytestmark = pytest.mark.slow

NAME = "aws-iam-authenticator.kube-system.svc"
VAULT = Path(__file__).parents[2] / "testbed/bundles/vault.yaml"


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.28 with aws-iam and two sealed units of vault."""
    bundle.deploy(juju, authority="vault", extra=[VAULT])
    juju.config("vault", {"auto-generate-root-ca-cert": False})
    juju.add_unit("vault", to="0")
    juju.wait(lambda status: jubilant.all_agents_idle(status) and _sealed(status), timeout=240)
    return juju


def _sealed(status: jubilant.Status) -> bool:
    found = status.get_units("vault").values()
    return all(u.workload_status.message == "Vault needs to be initialized" for u in found)


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Unseal vault, and return the cluster, in which knobby can log in through a role."""
    vault.authorize(deployed)
    vault.put_below_a_new_root(deployed)
    juju_status.wait_until_active(deployed)
    return logins.first_login(deployed, tmp_path_factory.mktemp("kubeconfigs"))


def test_given_a_sealed_vault_then_the_unit_waits_for_it(deployed: jubilant.Juju) -> None:
    assert juju_status.message(deployed) == "waiting for a certificate from vault"


def test_when_vault_is_unsealed_then_people_log_in_and_the_pods_serve_its_chain(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    assert logins.wait_for_login(cluster) == "knobby"
    assert certificates.authority(deployed) in certificates.trusted(deployed, "aws-iam/0")
    chain = certificates.chain(cluster)
    assert [below.issuer for below in chain[:-1]] == [above.subject for above in chain[1:]]
    assert len(chain) > 1


def test_given_reissued_certificates_then_the_pods_serve_the_new_one_and_no_file_changes(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    before = certificates.presented(deployed, cluster)
    file = units.webhook_file(deployed, "aws-iam/0")

    deployed.run("vault/leader", "reissue-certificates")
    juju_status.wait_until_active(deployed)

    assert certificates.newly_presented(deployed, cluster) != before
    assert units.webhook_file(deployed, "aws-iam/0") == file
    assert logins.wait_for_login(cluster) == "knobby"


# From 1.16 on, vault has another endpoint, and signs what its options allow.


def test_given_vault_1_18_that_refuses_the_name_then_the_status_gives_the_command(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    _move_to(deployed, "vault", "1.18", {"pki_ca_common_name": "ca.example.com"})

    juju_status.wait_until(deployed, "blocked")
    assert juju_status.message(deployed) == (
        f"vault-v118 does not allow {NAME}; run: juju config vault-v118 pki_allowed_domains"
    )
    trusted = certificates.trusted(deployed, "aws-iam/0")
    options = {"pki_allow_subdomains": True, "pki_allowed_domains": "kube-system.svc"}
    deployed.config("vault-v118", options)
    eventually(lambda: certificates.trusted(deployed, "aws-iam/0") != trusted, "answered")
    juju_status.wait_until_active(deployed)
    assert certificates.dns_sans(cluster) == {NAME}


def test_given_vault_1_17_that_signs_one_domain_then_its_certificate_is_served(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    _move_to(deployed, "vault-v118", "1.17", {"common_name": "svc"})
    # The pods are replaced for the certificate anyway, so the next test costs no more.
    deployed.config("aws-iam", {"partition": "aws-cn"})
    juju_status.wait_until_active(deployed)

    assert certificates.dns_sans(cluster) == {NAME}


def _move_to(juju: jubilant.Juju, former: str, track: str, options: dict[str, str]) -> None:
    vault = f"vault-v{track.replace('.', '')}"
    juju.deploy("vault", vault, channel=f"{track}/stable", config=options, to="0")
    juju.remove_relation("aws-iam:certificates", former)
    juju_status.wait_until(juju, "blocked")
    juju.integrate("aws-iam:certificates", f"{vault}:vault-pki")


def test_given_another_partition_then_its_principals_log_in_and_mappings_of_others_are_named(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.map("mei", arns.CHINA_USER, "mei")
    china = kubernetes.with_region(deployed, cluster, "cn-north-1", tmp_path)

    assert logins.wait_for_login(china, "mei") == "mei"
    assert cluster.whoami("knobby").returncode != 0
    assert "1 broken mapping: knobby: no login has partition aws" in juju_status.message(deployed)
