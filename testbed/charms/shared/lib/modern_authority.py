"""An authority that signs over the newer protocol, and lives in a secret of its application."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import ops
from charmlibs.interfaces.tls_certificates import (
    Certificate,
    CertificateRequestAttributes,
    PrivateKey,
    ProviderCertificate,
    RequirerCertificateRequest,
    TLSCertificatesProvidesV4,
)

_LABEL = "authority"


@dataclasses.dataclass(frozen=True)
class Authority:
    """A root of its own.

    Attributes:
        made_for: The options that it was made by, as a text. Others need another authority.
    """

    certificate: Certificate
    key: PrivateKey
    made_for: str

    def sign(
        self, request: RequirerCertificateRequest, validity: timedelta, *, is_ca: bool = False
    ) -> ProviderCertificate:
        """Return the answer to ``request``: a certificate that is valid from now on."""
        csr = request.certificate_signing_request
        certificate = csr.sign(self.certificate, self.key, validity, is_ca=is_ca)
        return ProviderCertificate(
            relation_id=request.relation_id,
            certificate=certificate,
            certificate_signing_request=csr,
            ca=self.certificate,
            chain=[certificate, self.certificate],
        )


def load(model: ops.Model) -> Authority | None:
    """Return the application's authority; None while there is none."""
    try:
        content = model.get_secret(label=_LABEL).peek_content()
    except ops.SecretNotFoundError:
        return None
    return Authority(
        Certificate.from_string(content["ca-certificate"]),
        PrivateKey.from_string(content["private-key"]),
        content["made-for"],
    )


def replace(
    charm: ops.CharmBase,
    certificates: TLSCertificatesProvidesV4,
    *,
    common_name: str,
    validity: timedelta,
    made_for: str,
) -> Authority:
    """Make and return a new authority, and revoke all that a former one has signed."""
    certificates.revoke_all_certificates()
    key = PrivateKey.generate()
    attributes = CertificateRequestAttributes(common_name=common_name, is_ca=True)
    ca = Certificate.generate_self_signed_ca(attributes, key, validity)
    content = {"private-key": str(key), "ca-certificate": str(ca), "made-for": made_for}
    try:
        charm.model.get_secret(label=_LABEL).set_content(content)
    except ops.SecretNotFoundError:
        charm.app.add_secret(content, label=_LABEL)
    return Authority(ca, key, made_for)
