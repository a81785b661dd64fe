"""Stands in for self-signed-certificates: signs what it is asked to, over the newer protocol.

As the original, it revokes everything when its authority changes, and signs again at its next
hook. Its authority is not renewed before it expires. The original never refuses a request, as
other authorities do: `testbedctl authority self-signed-certificates refuse` has it do so.
"""

from __future__ import annotations

import json
import os

import ops
from charmlibs.interfaces.tls_certificates import (
    CertificateError,
    CertificateRequestErrorCode,
    CertificateSigningRequest,
    ProviderCertificateError,
    RequirerCertificateRequest,
    TLSCertificatesProvidesV4,
)

import hook_process
import modern_authority
from settings import Settings

_CERTIFICATES = "certificates"
_SEND = "send-ca-cert"


class Events(ops.CharmEvents):
    """Juju's events, and the testbed's."""

    testbed_refuse = ops.EventSource(ops.EventBase)


class SelfSignedCertificates(ops.CharmBase):
    """One unit that signs."""

    on = Events()
    _kept = ops.StoredState()

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self._kept.set_default(refusal="")
        self.certificates = TLSCertificatesProvidesV4(self, _CERTIFICATES)
        for event in (
            self.on.config_changed,
            self.on.update_status,
            self.on[_CERTIFICATES].relation_changed,
            self.on[_SEND].relation_created,
        ):
            framework.observe(event, self._configure)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)
        framework.observe(self.on["rotate-private-key"].action, self._on_rotate)
        framework.observe(self.on.testbed_refuse, self._on_testbed_refuse)

    def _configure(self, _: ops.EventBase) -> None:
        if not self.unit.is_leader():
            return
        try:
            settings = Settings.load(self.config)
        except ValueError:
            return
        authority = modern_authority.load(self.model)
        if not authority or authority.made_for != _made_for(settings):
            self._make_authority(settings)
            return
        self._send(authority)
        for request in self._unanswered():
            self._answer(request, settings, authority)

    def _unanswered(self) -> list[RequirerCertificateRequest]:
        refused = [
            (error.certificate_signing_request, error.error.code)
            for error in self.certificates.get_provider_certificate_errors()
        ]
        return [
            request
            for request in self.certificates.get_outstanding_certificate_requests()
            if (request.certificate_signing_request, self._refusal) not in refused
        ]

    def _answer(
        self,
        request: RequirerCertificateRequest,
        settings: Settings,
        authority: modern_authority.Authority,
    ) -> None:
        csr = request.certificate_signing_request
        if self._refusal and _refuses(self._refusal, csr):
            name = self._refusal.name
            error = CertificateError(code=self._refusal, name=name, message=f"refuse={name}")
            self.certificates.set_relation_error(
                ProviderCertificateError(request.relation_id, csr, error)
            )
            return
        self.certificates.set_relation_certificate(
            authority.sign(request, settings.certificate_validity, is_ca=request.is_ca)
        )

    def _make_authority(self, settings: Settings) -> None:
        modern_authority.replace(
            self,
            self.certificates,
            common_name=settings.common_name,
            validity=settings.root_validity,
            made_for=_made_for(settings),
        )

    def _send(self, authority: modern_authority.Authority) -> None:
        """Write it as the original's library for certificate_transfer does, in version 1."""
        content = {"certificates": json.dumps([str(authority.certificate)]), "version": "1"}
        for relation in self.model.relations[_SEND]:
            relation.data[self.app].update(content)

    def _on_rotate(self, event: ops.ActionEvent) -> None:
        if not self.unit.is_leader():
            event.fail("This action can only be run on the leader unit.")
            return
        try:
            settings = Settings.load(self.config)
        except ValueError as error:
            event.fail(str(error))
            return
        self._make_authority(settings)
        event.set_results({"result": "New private key and CA certificate generated and stored."})

    @property
    def _refusal(self) -> CertificateRequestErrorCode | None:
        name = str(self._kept.refusal)
        return CertificateRequestErrorCode[name] if name else None

    def _on_testbed_refuse(self, event: ops.EventBase) -> None:
        """Refuse from now on what the argument says, or nothing.

        IP_NOT_ALLOWED is about requests that name an address, DOMAIN_NOT_ALLOWED about those
        that name a host; any other code of the protocol is about all requests.
        """
        name = os.environ["TESTBED_ARGUMENT"]
        self._kept.refusal = CertificateRequestErrorCode[name].name if name else ""
        self._configure(event)
        print(f"refuses with {name}" if name else "refuses nothing")

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
    hook_process.run(SelfSignedCertificates)
