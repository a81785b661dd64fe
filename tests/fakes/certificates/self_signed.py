"""A provider of the newer ``certificates`` protocol, by the models of the library itself."""

from __future__ import annotations

import dataclasses
from typing import cast

from charmlibs.interfaces.tls_certificates import (
    CertificateError,
    CertificateRequestErrorCode,
    CertificateSigningRequest,
    ProviderCapabilities,
)
from charmlibs.interfaces.tls_certificates._tls_certificates import (
    _Certificate,
    _ProviderApplicationData,
    _RequestError,
    _RequirerData,
)
from cryptography import x509
from tests.fakes.certificates.authority import PublicKey, root

Bag = dict[str, str]


@dataclasses.dataclass
class SelfSigned:
    """Signs what it is asked to, unless it ``refuses`` by a code and for a ``reason``.

    With a ``domain``, it leaves requests for names of others unanswered, as vault 1.17 does. With
    ``one_name``, its certificates have that name alone, whatever else was asked for. ``days`` from
    now its certificates begin and end.
    """

    name: str = "self-signed-certificates"
    refuses: CertificateRequestErrorCode | None = None
    reason: str | None = None
    capabilities: ProviderCapabilities | None = None
    domain: str = ""
    one_name: str = ""
    revokes: bool = False
    days: tuple[int, int] = (-1, 90)
    overrides: Bag = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.authority = root(self.name)
        self._issued: dict[str, str] = {}

    def requested(self, app: Bag) -> list[CertificateSigningRequest]:
        """What the requirer's application asks for."""
        asked = _RequirerData.load(app).certificate_signing_requests
        return [
            CertificateSigningRequest.from_string(request.certificate_signing_request)
            for request in asked
        ]

    def answer(self, app: Bag, units: list[Bag]) -> tuple[Bag, Bag]:
        requests = list(filter(self._understands, self.requested(app)))
        good = [] if self.refuses else requests
        answers = _ProviderApplicationData(
            certificates=[self._signed(request) for request in good],
            request_errors=[self._refused(r) for r in requests if r not in good],
            capabilities=self.capabilities,
        )
        bag: Bag = {}
        answers.dump(bag)
        return {**bag, **self.overrides}, {}

    def _understands(self, request: CertificateSigningRequest) -> bool:
        return all(name.endswith(self.domain) for name in request.sans_dns)

    def _signed(self, request: CertificateSigningRequest) -> _Certificate:
        text, ca = str(request), self.authority.certificate.strip()
        if text not in self._issued:
            key = x509.load_pem_x509_csr(text.encode()).public_key()
            names = [self.one_name] if self.one_name else [*request.sans_dns, *request.sans_ip]
            leaf = self.authority.sign_leaf(cast("PublicKey", key), names, self.days)
            self._issued[text] = leaf.strip()
        return _Certificate(
            ca=ca,
            certificate_signing_request=text,
            certificate=self._issued[text],
            chain=[self._issued[text], ca],
            revoked=self.revokes or None,
        )

    def _refused(self, request: CertificateSigningRequest) -> _RequestError:
        code = self.refuses
        assert code
        message = "not by this\nauthority's rules"
        error = CertificateError(
            code=code.value, name=code.name, message=message, reason=self.reason
        )
        return _RequestError(csr=str(request), error=error)
