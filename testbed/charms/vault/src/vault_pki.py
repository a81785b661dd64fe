"""A certificate authority as Vault's secrets engine `pki` is one. Pure."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from legacy_certificates import Pair

_KEY_BITS = 2048
_EXPONENT = 65537
_AUTHORITY_DAYS = 3650
_CERTIFICATE_DAYS = 365
_CLOCK_SKEW = datetime.timedelta(seconds=30)
_ROOT = "Vault Root Certificate Authority (charm-pki-local)"
_INTERMEDIATE = "Vault Intermediate Certificate Authority (charm-pki-local)"


@dataclass(frozen=True)
class Authority:
    """The issuing certificate, its key, and what stands between it and its root. All PEM.

    `chain` begins with the issuing certificate, and is empty for a root. There is no
    certificate as long as nobody has signed the request for one.
    """

    key: str
    certificate: str = ""
    chain: str = ""


def generate_root() -> Authority:
    """Return an authority that is its own root."""
    key = _new_key()
    name = _name(_ROOT)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        _builder(name, key, name, key, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(_key_pem(key), _pem(certificate))


def generate_intermediate(common_name: str = "") -> tuple[Authority, str]:
    """Return an authority that waits for its certificate, and its signing request."""
    key = _new_key()
    builder = x509.CertificateSigningRequestBuilder()
    csr = builder.subject_name(_name(common_name or _INTERMEDIATE)).sign(key, hashes.SHA256())
    text = csr.public_bytes(serialization.Encoding.PEM).decode().strip()
    return Authority(_key_pem(key)), text


def set_signed(authority: Authority, text: str) -> Authority:
    """Return the authority with the certificate that was signed for it.

    `text` may go on with the certificates above it.

    Raises:
        ValueError: it holds no certificate, or one of another key.
    """
    certificates = x509.load_pem_x509_certificates(text.encode())
    if certificates[0].public_key() != _load_key(authority).public_key():
        raise ValueError("public key of certificate does not match private key")
    chain = "\n".join(map(_pem, certificates))
    return Authority(authority.key, _pem(certificates[0]), chain)


def issue(authority: Authority, common_name: str, sans: Iterable[str] = ()) -> Pair:
    """Return a new pair for the names, of which the common name is always one."""
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    issuer_key = _load_key(authority)
    key = _new_key()
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        _builder(_name(common_name), key, issuer.subject, issuer_key, _CERTIFICATE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.SubjectAlternativeName(
                [_general_name(san) for san in sorted({common_name, *sans})]
            ),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )
    return Pair(_pem(certificate), _key_pem(key))


def _builder(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    days: int,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(key_id, critical=False)
        .add_extension(issuer_id, critical=False)
    )


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(_EXPONENT, _KEY_BITS)


def _load_key(authority: Authority) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(authority.key.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the authority's key is not an RSA key")
    return key


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode().strip()


def _key_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    encryption = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode().strip()
