"""A certificate authority below a root of its own, as Vault's secrets engine is one. Pure."""

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


@dataclass(frozen=True)
class Authority:
    """The issuing certificate, its key, and the root that signed it. All PEM."""

    issuer: str
    issuer_key: str
    root: str

    @property
    def chain(self) -> str:
        """The issuing certificate, then the root."""
        return f"{self.issuer}\n{self.root}"


def new_authority(name: str) -> Authority:
    """Return a new root and an issuing authority below it."""
    root_key, issuer_key = _key(), _key()
    root_name, issuer_name = _name(f"{name} root"), _name(f"{name} issuer")
    root = _authority(root_name, root_key, root_name, root_key)
    issuer = _authority(issuer_name, issuer_key, root_name, root_key)
    return Authority(_pem(issuer), _key_pem(issuer_key), _pem(root))


def issue(authority: Authority, common_name: str, sans: Iterable[str] = ()) -> Pair:
    """Return a new pair for the names, of which the common name is always one."""
    issuer = x509.load_pem_x509_certificate(authority.issuer.encode())
    issuer_key = serialization.load_pem_private_key(authority.issuer_key.encode(), None)
    if not isinstance(issuer_key, rsa.RSAPrivateKey):
        raise TypeError("the authority's key is no RSA key")
    key = _key()
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


def is_for(certificate: str, common_name: str, sans: Iterable[str]) -> bool:
    """Say whether a certificate is for just these names."""
    parsed = x509.load_pem_x509_certificate(certificate.encode())
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(names) == {_general_name(name) for name in {common_name, *sans}}


def _authority(
    subject: x509.Name, key: rsa.RSAPrivateKey, issuer: x509.Name, issuer_key: rsa.RSAPrivateKey
) -> x509.Certificate:
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    return (
        _builder(subject, key, issuer, issuer_key, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


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


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(_EXPONENT, _KEY_BITS)


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
