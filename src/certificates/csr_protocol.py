# SPDX-License-Identifier: Apache-2.0

"""The newer protocol of ``tls-certificates``.

It uses the application databags, and a signing request: the private key never leaves this
application's own Juju secret. self-signed-certificates, vault >= 1.16, lego and others speak it.
The protocol itself is the library's. Its import takes a tenth of a second, so a hook imports this
for an event that the library handles, or to read an answer that it has not read before.
"""

from __future__ import annotations

import datetime

import ops
from charmlibs.interfaces.tls_certificates import (
    CertificateError,
    CertificateRequestAttributes,
    Mode,
    ProviderCapabilities,
    TLSCertificatesRequiresV4,
)

from certificates import SERVER_NAME, pem
from certificates.keypair import KeyPair
from errors import Blocked, Waiting, WaitingForCertificate
from statuses import blocked, waiting
from text import brief

_NO_ADDRESSES = "IP_NOT_ALLOWED"
# What Vault says of a name. Its charm has the code OTHER for all but a common name.
_NAME_REFUSED = "not allowed by this role"


class Requirer(TLSCertificatesRequiresV4):
    """The library's requirer, for a certificate of the Service at ``address``.

    ``address`` must be the remembered one where nothing newer is known: given none, the library
    takes back a request whose certificate nears its end, and forgets what the provider signs.
    """

    def __init__(self, charm: ops.CharmBase, endpoint: str, address: str):
        self._address = address
        super().__init__(charm, endpoint, certificate_requests=self._wanted, mode=Mode.APP)

    def on_event(self, event: ops.EventBase) -> None:
        """Do what the library does at ``event``. It observes the event too late to hear of it.

        The library has these as private handlers alone: its public `sync` does not ask for
        another certificate, takes back no secret and removes no key.
        """
        if isinstance(event, ops.SecretExpiredEvent):
            self._on_secret_expired(event)
        elif isinstance(event, ops.SecretRemoveEvent):
            self._on_secret_remove(event)
        # Without a key there is nothing to remove, and the library would warn of it.
        elif isinstance(event, ops.RelationBrokenEvent) and self.private_key:
            self._on_relation_broken(event)

    def obtain(self, address: str, provider: str) -> tuple[KeyPair, datetime.datetime]:
        """Ask ``provider``; return the pair that it issued, unchecked, and when to renew it.

        Raises:
            errors.Unready: ``provider`` must act first, or its operator.
        """
        self._address = address
        self.sync()
        requests = self.get_csrs_from_requirer_relation_data()
        asked = [request.certificate_signing_request for request in requests]
        for refused in self.get_request_errors():
            if refused.certificate_signing_request in asked:
                raise Blocked(_refusal(provider, refused.error), announced=True)
        (wanted,) = self.certificate_requests
        issued, key = self.get_assigned_certificate(wanted)
        if not issued or not key:
            raise WaitingForCertificate(waiting.CERTIFICATE(authority=provider), announced=True)
        if issued.revoked:
            raise Waiting(waiting.CERTIFICATE_REVOKED(authority=provider), announced=True)
        chain = [str(certificate) for certificate in issued.chain]
        pair = pem.key_pair(str(issued.certificate), str(key), *chain, str(issued.ca))
        begins, ends = issued.certificate.validity_start_time, issued.certificate.expiry_time
        return pair, begins + (ends - begins) * self.renewal_relative_time

    def _wanted(
        self, capabilities: ProviderCapabilities | None
    ) -> list[CertificateRequestAttributes]:
        """Return what to ask for: the name, and the address unless the provider signs none.

        A request without the address stays so, because the provider may forget why.
        """
        if not self._address:
            return []
        requests = self.get_csrs_from_requirer_relation_data()
        asked = [request.certificate_signing_request for request in requests]
        errors = [each for each in self.get_request_errors() if each.error.name == _NO_ADDRESSES]
        refused = [each.certificate_signing_request for each in errors]
        signs_none = capabilities is not None and capabilities.supports_ip_sans is False
        without = signs_none or any(not csr.sans_ip or csr in refused for csr in asked)
        return [
            CertificateRequestAttributes(
                common_name=SERVER_NAME,
                sans_dns={SERVER_NAME},
                sans_ip=set() if without else {self._address},
            )
        ]


def _refusal(provider: str, error: CertificateError) -> str:
    """Return the status for an ``error`` that ``provider`` answered with."""
    # vault appends the address that its charm has asked.
    reason = (error.reason or error.message or error.name).partition(", on ")[0]
    if error.name == "DOMAIN_NOT_ALLOWED" or _NAME_REFUSED in reason:
        return blocked.NAME_REFUSED(authority=provider, name=SERVER_NAME)
    if "Vault is sealed" in reason:
        return blocked.AUTHORITY_SEALED(authority=provider)
    if "permission denied" in reason:
        return blocked.AUTHORITY_DENIED(authority=provider)
    said = brief(reason)
    if error.name == "SERVER_NOT_AVAILABLE":
        return blocked.AUTHORITY_AWAY(authority=provider, reason=said)
    return blocked.REQUEST_REFUSED(authority=provider, reason=said)
