"""vault, as its operator sets it up."""

from __future__ import annotations

import base64
import datetime

import jubilant
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.integration.helpers import testbed_only


def authorize(juju: jubilant.Juju) -> None:
    """Unseal vault, and let its charm use it."""
    token = testbed_only.ask_authority(juju, "vault", "unseal").strip()
    juju.run("vault/leader", "authorize-charm", {"token": token})


def put_below_a_new_root(juju: jubilant.Juju) -> None:
    """Have vault request a certificate for its authority, and sign it with a new root."""
    asked = juju.run("vault/leader", "regenerate-intermediate-ca", {"force": True})
    issuer, root = _sign(x509.load_pem_x509_csr(asked.results["output"].encode()))
    params = {"pem": _encode(issuer), "root-ca": _encode(root)}
    juju.run("vault/leader", "upload-signed-csr", params)


def _sign(csr: x509.CertificateSigningRequest) -> tuple[x509.Certificate, x509.Certificate]:
    """Return a certificate for the request, and the root that signed it."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"a root of {now}")])
    template = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    issuer, root = (
        template.subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .sign(key, hashes.SHA256())
        for subject, public_key in ((csr.subject, csr.public_key()), (name, key.public_key()))
    )
    return issuer, root


def _encode(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()
