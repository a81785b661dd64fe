"""self-signed-certificates as the authority: the newer protocol, with refusals and renewals."""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import (
    bundle,
    certificates,
    how_to,
    juju_status,
    logins,
    settled,
    testbed_only,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster

pytestmark = pytest.mark.slow

SELF_SIGNED = "self-signed-certificates"
REFUSED = (
    f"{SELF_SIGNED} does not allow aws-iam-authenticator.kube-system.svc; "
    f"run: juju config {SELF_SIGNED} pki_allowed_domains"
)
NONE = "no certificate authority; run: juju integrate aws-iam:certificates easyrsa:client"
VALIDITY_SECONDS = 120


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.28 with aws-iam and self-signed-certificates, all active."""
    bundle.deploy(juju, authority=SELF_SIGNED)
    juju_status.wait_until_active(juju)
    return juju


def change_authority(juju: jubilant.Juju) -> None:
    """Revoke every certificate; like the original, the authority signs again at its next hook."""
    juju.run(f"{SELF_SIGNED}/0", "rotate-private-key")
    juju_status.run_update_status(juju, f"{SELF_SIGNED}/0")


def test_given_the_overlay_then_people_log_in_and_no_databag_holds_a_key(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    assert logins.wait_for_login(cluster) == "knobby"
    assert "PRIVATE KEY" not in deployed.cli("show-unit", "aws-iam/0", f"{SELF_SIGNED}/0")


def test_given_a_new_authority_that_refuses_then_the_status_gives_the_remedy_and_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    before = certificates.presented(deployed, cluster)
    testbed_only.ask_authority(deployed, SELF_SIGNED, "refuse", "DOMAIN_NOT_ALLOWED")
    change_authority(deployed)

    juju_status.wait_until(deployed, "blocked")
    assert juju_status.message(deployed) == REFUSED
    assert certificates.presented(deployed, cluster) == before
    assert logins.wait_for_login(cluster) == "knobby"

    testbed_only.ask_authority(deployed, SELF_SIGNED, "refuse")
    juju_status.wait_until_active(deployed)
    assert certificates.newly_presented(deployed, cluster) != before
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_a_certificate_that_expires_soon_then_it_is_renewed_without_an_operator(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    deployed.config(SELF_SIGNED, {"certificate-validity": f"{VALIDITY_SECONDS // 60}m"})
    change_authority(deployed)
    juju_status.wait_until_active(deployed)
    before, trusted = certificates.served(cluster), certificates.trusted(deployed, "aws-iam/0")
    deployed.config(SELF_SIGNED, reset="certificate-validity")

    eventually(
        lambda: certificates.served(cluster) != before,
        "a renewed certificate",
        seconds=2 * VALIDITY_SECONDS,
        interval=1,
    )
    juju_status.wait_until_active(deployed)

    assert certificates.newly_presented(deployed, cluster) != before
    assert certificates.trusted(deployed, "aws-iam/0") <= trusted
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_a_move_to_another_authority_then_the_key_pair_is_kept_until_the_new_one_is_there(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    before = certificates.presented(deployed, cluster)

    leave, _ = how_to.shown("certificates.md", "Replace a certificate")
    how_to.run(deployed, leave)
    juju_status.wait_until(deployed, "blocked")
    assert juju_status.message(deployed) == NONE
    assert certificates.presented(deployed, cluster) == before
    assert logins.wait_for_login(cluster) == "knobby"

    deployed.integrate("aws-iam:certificates", "easyrsa:client")
    juju_status.wait_until_active(deployed)
    assert certificates.newly_presented(deployed, cluster) != before
    assert logins.wait_for_login(cluster) == "knobby"
    settled.end_former_pods(deployed, cluster)
    certificates.all_units_trust(deployed, certificates.authority(deployed))
    assert logins.wait_for_login(cluster) == "knobby"
