"""Stands in for the vault charm from 1.16 on: an authority over the newer protocol.

There is no Vault, and nothing to unseal or to authorize. The authority is a root of its own; the
original's is below one that another charm provides. The endpoint, the options and what is signed
by them are the original's. As the original, it makes a new authority for another common name,
revokes everything then, and signs again at its next hook.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import ops
from charmlibs.interfaces.tls_certificates import (
    Certificate,
    CertificateError,
    CertificateRequestAttributes,
    CertificateRequestErrorCode,
    PrivateKey,
    ProviderCertificate,
    ProviderCertificateError,
    RequirerCertificateRequest,
    TLSCertificatesProvidesV4,
)

from vault_role import Role

logger = logging.getLogger(__name__)

_PKI = "vault-pki"
_AUTHORITY = "authority"
_AUTHORITY_VALIDITY = timedelta(days=3650)
_CERTIFICATE_VALIDITY = timedelta(days=365)


class Vault(ops.CharmBase):
    """One unit that signs."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.pki = TLSCertificatesProvidesV4(self, _PKI)
        for event in (
            self.on.config_changed,
            self.on.update_status,
            self.on[_PKI].relation_changed,
        ):
            framework.observe(event, self._configure)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)

    def _configure(self, _: ops.EventBase) -> None:
        role = Role.load(self.config)
        if not self.unit.is_leader() or not role.common_name:
            return
        if self._stored().get("made-for") != role.common_name:
            self._make_authority(role.common_name)
        refused = self.pki.get_provider_certificate_errors()
        for request in self.pki.get_outstanding_certificate_requests():
            self._answer(request, role, refused)

    def _answer(
        self,
        request: RequirerCertificateRequest,
        role: Role,
        refused: list[ProviderCertificateError],
    ) -> None:
        csr = request.certificate_signing_request
        if refusal := role.refusal({csr.common_name, *csr.sans_dns}, csr.sans_ip):
            logger.warning("Error while signing PKI certificate: %s", refusal)
            code = CertificateRequestErrorCode[refusal]
            known = [(error.certificate_signing_request, error.error.code) for error in refused]
            if role.says_why and (csr, code) not in known:
                error = CertificateError(code=code, name=refusal, message="not by the role")
                self.pki.set_relation_error(
                    ProviderCertificateError(request.relation_id, csr, error)
                )
            return
        stored = self._stored()
        ca = Certificate.from_string(stored["certificate"])
        key = PrivateKey.from_string(stored["private-key"])
        certificate = csr.sign(ca, key, _CERTIFICATE_VALIDITY)
        self.pki.set_relation_certificate(
            ProviderCertificate(
                relation_id=request.relation_id,
                certificate=certificate,
                certificate_signing_request=csr,
                ca=ca,
                chain=[certificate, ca],
            )
        )

    def _make_authority(self, common_name: str) -> None:
        self.pki.revoke_all_certificates()
        key = PrivateKey.generate()
        attributes = CertificateRequestAttributes(common_name=common_name, is_ca=True)
        ca = Certificate.generate_self_signed_ca(attributes, key, _AUTHORITY_VALIDITY)
        content = {"private-key": str(key), "certificate": str(ca), "made-for": common_name}
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

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        if not Role.load(self.config).common_name:
            message = "Common name is not set in the charm config, cannot configure PKI"
            event.add_status(ops.BlockedStatus(message))
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(Vault)
