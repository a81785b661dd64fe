"""A provider of the newer ``certificates`` protocol, by the models of the library itself."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools

from charmlibs.interfaces.tls_certificates import (
    Certificate,
    CertificateError,
    CertificateRequestAttributes,
    CertificateRequestErrorCode,
    CertificateSigningRequest,
    PrivateKey,
    ProviderCapabilities,
)
from charmlibs.interfaces.tls_certificates._tls_certificates import (
    _Certificate,
    _ProviderApplicationData,
    _RequestError,
    _RequirerData,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Bag = dict[str, str]


@functools.cache
def _authority(name: str) -> tuple[PrivateKey, Certificate]:
    """Return the key and the certificate of an authority, the same in each test."""
    key = PrivateKey(x509_object=ec.generate_private_key(ec.SECP256R1()))
    attributes = CertificateRequestAttributes(common_name=name)
    return key, Certificate.generate_self_signed_ca(
        attributes, key, validity=dt.timedelta(days=365)
    )


@dataclasses.dataclass
class SelfSigned:
    """Signs what it is asked to, unless it ``refuses`` by a code and for a ``reason``.

    With a ``domain``, it leaves requests for names of others unanswered, as vault 1.17 does. With
    ``one_name``, its certificates have that name alone, whatever else was asked for. Where it
    ``refuses_addresses``, a request without one is signed.
    """

    name: str = "self-signed-certificates"
    refuses: CertificateRequestErrorCode | None = None
    reason: str | None = None
    capabilities: ProviderCapabilities | None = None
    silent: bool = False
    domain: str = ""
    one_name: str = ""
    refuses_addresses: bool = False
    revokes: bool = False
    validity: dt.timedelta = dt.timedelta(days=90)
    overrides: Bag = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self._key, self.authority = _authority(self.name)
        self._issued: dict[str, str] = {}

    def requested(self, app: Bag) -> list[CertificateSigningRequest]:
        """What the requirer's application asks for."""
        asked = _RequirerData.load(app).certificate_signing_requests
        return [
            CertificateSigningRequest.from_string(request.certificate_signing_request)
            for request in asked
        ]

    def answer(self, app: Bag, units: list[Bag]) -> tuple[Bag, Bag]:
        requests = [] if self.silent else list(filter(self._understands, self.requested(app)))
        good = [request for request in requests if not self._code(request)]
        answers = _ProviderApplicationData(
            certificates=[self._signed(request) for request in good],
            request_errors=[self._refused(r) for r in requests if r not in good],
            capabilities=self.capabilities,
        )
        bag: Bag = {}
        answers.dump(bag)
        return {**bag, **self.overrides}, {}

    def _code(self, request: CertificateSigningRequest) -> CertificateRequestErrorCode | None:
        if self.refuses_addresses and request.sans_ip:
            return CertificateRequestErrorCode.IP_NOT_ALLOWED
        return self.refuses

    def _understands(self, request: CertificateSigningRequest) -> bool:
        return all(name.endswith(self.domain) for name in request.sans_dns)

    def _signed(self, request: CertificateSigningRequest) -> _Certificate:
        text = str(request)
        if text not in self._issued:
            self._issued[text] = str(self._sign(request))
        return _Certificate(
            ca=str(self.authority),
            certificate_signing_request=text,
            certificate=self._issued[text],
            chain=[self._issued[text], str(self.authority)],
            revoked=self.revokes or None,
        )

    def _sign(self, request: CertificateSigningRequest) -> Certificate:
        signed = request.sign(self.authority, self._key, self.validity)
        if not self.one_name:
            return signed
        whole = x509.load_pem_x509_certificate(str(signed).encode())
        key = serialization.load_pem_private_key(str(self._key).encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        builder = (
            x509.CertificateBuilder()
            .subject_name(whole.subject)
            .issuer_name(whole.issuer)
            .public_key(whole.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(whole.not_valid_before_utc)
            .not_valid_after(whole.not_valid_after_utc)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(self.one_name)]), False)
        )
        text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return Certificate.from_string(text.decode())

    def _refused(self, request: CertificateSigningRequest) -> _RequestError:
        refuses = self._code(request)
        assert refuses
        error = CertificateError(
            code=refuses.value,
            name=refuses.name,
            message="not by this\nauthority's rules",
            reason=self.reason,
        )
        return _RequestError(csr=str(request), error=error)
