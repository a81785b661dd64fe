"""Certificates: what the pods serve with, what a control plane meets, and what a unit trusts."""

from __future__ import annotations

import base64
import json

import jubilant
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from tests.integration.helpers import units
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import KUBE_SYSTEM, Cluster

SELF_SIGNED = "self-signed-certificates"


def served(cluster: Cluster) -> str:
    """Return the fingerprint of the certificate in the Secret that the pods serve with."""
    return _fingerprint(chain(cluster)[0])


def presented(juju: jubilant.Juju, cluster: Cluster) -> str:
    """Return the fingerprint of the certificate that the Service's address presents."""
    address = f"{cluster.address()}:443"
    unit = units.reachable(juju, units.names(juju)[0])
    shown = juju.exec(f"openssl s_client -connect {address} </dev/null", unit=unit)
    start = shown.stdout.index("-----BEGIN CERTIFICATE-----")
    return _fingerprint(x509.load_pem_x509_certificate(shown.stdout[start:].encode()))


def newly_presented(juju: jubilant.Juju, cluster: Cluster) -> str:
    """Wait until the Service's address presents what the Secret holds; return its fingerprint.

    A kube-proxy learns of new pods late when its API server was just restarted.
    """
    wanted = served(cluster)
    eventually(lambda: presented(juju, cluster) == wanted, "the new certificate", interval=1)
    return wanted


def chain(cluster: Cluster) -> list[x509.Certificate]:
    """Return the certificates in the Secret that the pods serve with, the leaf first."""
    secret = cluster.get(*KUBE_SYSTEM, "secret", "aws-iam-certs")
    return x509.load_pem_x509_certificates(base64.b64decode(secret["data"]["cert.pem"]))


def dns_sans(cluster: Cluster) -> set[str]:
    """Return the host names in the certificate that the pods serve with."""
    extensions = chain(cluster)[0].extensions
    found = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(found.get_values_for_type(x509.DNSName))


def trusted(juju: jubilant.Juju, unit: str) -> set[str]:
    """Return the fingerprints of the authorities in the webhook file of a unit."""
    cluster = yaml.safe_load(units.webhook_file(juju, unit))["clusters"][0]["cluster"]
    text = base64.b64decode(cluster["certificate-authority-data"])
    return {_fingerprint(found) for found in x509.load_pem_x509_certificates(text)}


def all_units_trust(juju: jubilant.Juju, *authorities: str) -> None:
    """Check that every unit's webhook file trusts these authorities and no others."""
    found = {unit: trusted(juju, unit) for unit in units.names(juju)}
    assert found
    assert all(fingerprints == {*authorities} for fingerprints in found.values()), found


def is_self_signed(juju: jubilant.Juju) -> bool:
    """Return whether the authority is self-signed-certificates."""
    return SELF_SIGNED in juju.status().apps


def authority(juju: jubilant.Juju) -> str:
    """Return the fingerprint of the authority that its charm publishes."""
    unit = units.names(juju)[0]
    relation = next(r for r in units.relations(juju, unit) if r["endpoint"] == "certificates")
    # Only an authority of the newer protocol answers there.
    if answer := relation["application-data"].get("certificates"):
        text = json.loads(answer)[0]["ca"]
    else:
        text = units.databag(juju, unit, "certificates")["ca"]
    return _fingerprint(x509.load_pem_x509_certificate(text.encode()))


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()[:16]
