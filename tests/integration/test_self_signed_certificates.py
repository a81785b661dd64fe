"""self-signed-certificates as the authority: the newer protocol, with refusals and renewal."""

from __future__ import annotations

import time

import jubilant
import pytest
from tests.integration import model, units

SELF_SIGNED = "self-signed-certificates"
REFUSED = (
    f"{SELF_SIGNED} refuses the certificate: IP_NOT_ALLOWED refuse=IP_NOT_ALLOWED; "
    f"run: juju config {SELF_SIGNED} pki_allow_ip_sans=true"
)
NONE = (
    "no certificate authority: juju integrate aws-iam:certificates easyrsa "
    "(or vault, self-signed-certificates)"
)
VALIDITY_SECONDS = 90


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Charmed Kubernetes 1.28 with aws-iam and self-signed-certificates, all active."""
    model.deploy(juju, authority=SELF_SIGNED)
    model.settle(juju)
    return juju


def change_authority(juju: jubilant.Juju) -> None:
    """Revoke everything; as the original, it signs anew at its next hook."""
    juju.run(f"{SELF_SIGNED}/0", "rotate-private-key")
    units.run_update_status(juju, f"{SELF_SIGNED}/0")


def test_given_the_overlay_then_people_log_in_and_no_databag_holds_a_key(
    deployed: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    assert model.logs_in(cluster) == "knobby"
    assert "PRIVATE KEY" not in deployed.cli("show-unit", "aws-iam/0", f"{SELF_SIGNED}/0")


def test_given_a_new_authority_that_refuses_then_the_remedy_is_said_and_people_log_in(
    deployed: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    before = units.presented(deployed, cluster)
    deployed.config(SELF_SIGNED, {"refuse": "IP_NOT_ALLOWED"})
    change_authority(deployed)

    model.settle(deployed, wanted="blocked")
    assert model.message(deployed) == REFUSED
    assert units.presented(deployed, cluster) == before
    assert model.logs_in(cluster) == "knobby"

    deployed.config(SELF_SIGNED, reset="refuse")
    model.settle(deployed)
    assert units.newly_presented(deployed, cluster) != before
    assert model.logs_in(cluster) == "knobby"


def test_given_a_certificate_that_ends_soon_then_it_is_renewed_by_itself(
    deployed: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    deployed.config(SELF_SIGNED, {"certificate-validity": f"{VALIDITY_SECONDS}s"})
    change_authority(deployed)
    model.settle(deployed)
    before, trusted = units.served(cluster), units.trusted(deployed, "aws-iam/0")
    deployed.config(SELF_SIGNED, reset="certificate-validity")

    deadline = time.monotonic() + 2 * VALIDITY_SECONDS
    while units.served(cluster) == before:
        assert time.monotonic() < deadline, "it was not renewed"
        time.sleep(1)
    model.settle(deployed)

    assert units.newly_presented(deployed, cluster) != before
    assert units.trusted(deployed, "aws-iam/0") <= trusted
    assert model.logs_in(cluster) == "knobby"


def test_given_a_move_to_another_authority_then_the_pair_in_use_stays_until_there_is_a_new_one(
    deployed: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    before = units.presented(deployed, cluster)

    deployed.remove_relation("aws-iam", SELF_SIGNED)
    model.settle(deployed, wanted="blocked")
    assert model.message(deployed) == NONE
    assert units.presented(deployed, cluster) == before
    assert model.logs_in(cluster) == "knobby"

    deployed.integrate("aws-iam", "easyrsa")
    model.settle(deployed)
    assert units.newly_presented(deployed, cluster) != before
    assert model.logs_in(cluster) == "knobby"
    units.end_former_pods(deployed, cluster)
    units.everyone_trusts(deployed, units.authority(deployed))
    assert model.logs_in(cluster) == "knobby"
