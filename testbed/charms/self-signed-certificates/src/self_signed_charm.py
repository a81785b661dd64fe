"""Stands in for self-signed-certificates: signs what it is asked to, over the newer protocol.

As the original, it revokes everything when its authority changes, and signs anew at its next hook.
Its authority is not renewed before it expires.
"""

from __future__ import annotations

import ops
from charmlibs.interfaces.tls_certificates import (
    Certificate,
    CertificateError,
    CertificateRequestAttributes,
    CertificateRequestErrorCode,
    CertificateSigningRequest,
    PrivateKey,
    ProviderCertificate,
    ProviderCertificateError,
    RequirerCertificateRequest,
    TLSCertificatesProvidesV4,
)

from settings import Settings

_CERTIFICATES = "certificates"
_AUTHORITY = "authority"


class SelfSignedCertificates(ops.CharmBase):
    """One unit that signs."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.certificates = TLSCertificatesProvidesV4(self, _CERTIFICATES)
        for event in (
            self.on.config_changed,
            self.on.update_status,
            self.on[_CERTIFICATES].relation_changed,
        ):
            framework.observe(event, self._configure)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)
        framework.observe(self.on["get-ca-certificate"].action, self._on_get_ca)
        framework.observe(self.on["get-issued-certificates"].action, self._on_get_issued)
        framework.observe(self.on["rotate-private-key"].action, self._on_rotate)

    def _configure(self, _: ops.EventBase) -> None:
        if not self.unit.is_leader():
            return
        try:
            settings = Settings.load(self.config)
        except ValueError:
            return
        if self._stored().get("made-for") != _made_for(settings):
            self._make_authority(settings)
            return
        for request in self._unanswered(settings):
            self._answer(request, settings)

    def _unanswered(self, settings: Settings) -> list[RequirerCertificateRequest]:
        refused = [
            (error.certificate_signing_request, error.error.code)
            for error in self.certificates.get_provider_certificate_errors()
        ]
        return [
            request
            for request in self.certificates.get_outstanding_certificate_requests()
            if (request.certificate_signing_request, settings.refusal) not in refused
        ]

    def _answer(self, request: RequirerCertificateRequest, settings: Settings) -> None:
        csr = request.certificate_signing_request
        if settings.refusal and _refuses(settings.refusal, csr):
            name = settings.refusal.name
            error = CertificateError(code=settings.refusal, name=name, message=f"refuse={name}")
            self.certificates.set_relation_error(
                ProviderCertificateError(request.relation_id, csr, error)
            )
            return
        stored = self._stored()
        ca = Certificate.from_string(stored["ca-certificate"])
        key = PrivateKey.from_string(stored["private-key"])
        certificate = csr.sign(ca, key, settings.certificate_validity, is_ca=request.is_ca)
        self.certificates.set_relation_certificate(
            ProviderCertificate(
                relation_id=request.relation_id,
                certificate=certificate,
                certificate_signing_request=csr,
                ca=ca,
                chain=[certificate, ca],
            )
        )

    def _make_authority(self, settings: Settings) -> None:
        self.certificates.revoke_all_certificates()
        key = PrivateKey.generate()
        attributes = CertificateRequestAttributes(common_name=settings.common_name, is_ca=True)
        ca = Certificate.generate_self_signed_ca(attributes, key, settings.root_validity)
        content = {
            "private-key": str(key),
            "ca-certificate": str(ca),
            "made-for": _made_for(settings),
        }
        try:
            self.model.get_secret(label=_AUTHORITY).set_content(content)
        except ops.SecretNotFoundError:
            self.app.add_secret(content, label=_AUTHORITY)

    def _stored(self) -> dict[str, str]:
        """Return the authority, as its secret holds it; nothing while there is none."""
        try:
            return self.model.get_secret(label=_AUTHORITY).peek_content()
        except ops.SecretNotFoundError:
            return {}

    def _on_get_ca(self, event: ops.ActionEvent) -> None:
        ca = self._stored().get("ca-certificate") if self.unit.is_leader() else None
        if not ca:
            event.fail("there is no authority on this unit: ask the leader")
            return
        event.set_results({"ca-certificate": ca})

    def _on_get_issued(self, event: ops.ActionEvent) -> None:
        issued = self.certificates.get_issued_certificates()
        if not issued:
            event.fail("No certificates issued yet.")
            return
        event.set_results({"certificates": [certificate.to_json() for certificate in issued]})

    def _on_rotate(self, event: ops.ActionEvent) -> None:
        if not self.unit.is_leader():
            event.fail("This action can only be run on the leader unit.")
            return
        try:
            self._make_authority(Settings.load(self.config))
        except ValueError as error:
            event.fail(str(error))
            return
        event.set_results({"result": "New private key and CA certificate generated and stored."})

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        if not self.unit.is_leader():
            event.add_status(ops.BlockedStatus("Scaling is not implemented for this charm"))
            return
        try:
            Settings.load(self.config)
        except ValueError as error:
            event.add_status(ops.BlockedStatus(str(error)))
            return
        event.add_status(ops.ActiveStatus())


def _made_for(settings: Settings) -> str:
    return f"{settings.common_name} for {settings.root_validity}"


def _refuses(refusal: CertificateRequestErrorCode, csr: CertificateSigningRequest) -> bool:
    if refusal is CertificateRequestErrorCode.IP_NOT_ALLOWED:
        return bool(csr.sans_ip)
    if refusal is CertificateRequestErrorCode.DOMAIN_NOT_ALLOWED:
        return bool(csr.sans_dns)
    return True


if __name__ == "__main__":
    ops.main(SelfSignedCertificates)
