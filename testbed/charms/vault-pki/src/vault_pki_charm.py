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
    CertificateError,
    CertificateRequestErrorCode,
    ProviderCertificateError,
    RequirerCertificateRequest,
    TLSCertificatesProvidesV4,
)

import hook_process
import modern_authority
from vault_role import Role

logger = logging.getLogger(__name__)

_PKI = "vault-pki"
_VAULT = "10.10.0.1:8200"
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
        authority = modern_authority.load(self.model)
        if not authority or authority.made_for != role.common_name:
            authority = modern_authority.replace(
                self,
                self.pki,
                common_name=role.common_name,
                validity=_AUTHORITY_VALIDITY,
                made_for=role.common_name,
            )
        refused = self.pki.get_provider_certificate_errors()
        for request in self.pki.get_outstanding_certificate_requests():
            self._answer(request, role, refused, authority)

    def _answer(
        self,
        request: RequirerCertificateRequest,
        role: Role,
        refused: list[ProviderCertificateError],
        authority: modern_authority.Authority,
    ) -> None:
        csr = request.certificate_signing_request
        if refusal := role.refusal(csr.common_name, csr.sans_dns, csr.sans_ip):
            logger.warning("PKI error while signing certificate: %s", refusal.text)
            code = CertificateRequestErrorCode[refusal.code]
            known = [(error.certificate_signing_request, error.error.code) for error in refused]
            if role.says_why and (csr, code) not in known:
                error = CertificateError(
                    code=code,
                    name=refusal.code,
                    message="Vault PKI role rejected the certificate request.",
                    # Vault's client appends what it asked.
                    reason=f"{refusal.text}, on post https://{_VAULT}/v1/charm-pki/sign/charm",
                    provider=_PKI,
                )
                self.pki.set_relation_error(
                    ProviderCertificateError(request.relation_id, csr, error)
                )
            return
        self.pki.set_relation_certificate(authority.sign(request, _CERTIFICATE_VALIDITY))

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        if not Role.load(self.config).common_name:
            message = "Common name is not set in the charm config, cannot configure PKI"
            event.add_status(ops.BlockedStatus(message))
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    hook_process.run(Vault)
