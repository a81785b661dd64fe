# SPDX-License-Identifier: Apache-2.0

"""The newer protocol of ``tls-certificates``.

It uses the application databags, and a signing request: the private key never leaves this
application's own Juju secret. self-signed-certificates, vault >= 1.16, lego and others speak it.
The protocol itself is the library's. Its import takes a tenth of a second, so a hook imports this
for an event that the library handles, or to read an answer that it has not read before.
"""

from __future__ import annotations

import ops
from charmlibs.interfaces.tls_certificates import (
    CertificateRequestAttributes,
    Mode,
    TLSCertificatesRequiresV4,
)

from certificates import SERVER_NAME, Issued, x509
from errors import Blocked, Waiting
from statuses import blocked, waiting
from text import brief

WANTED = CertificateRequestAttributes(common_name=SERVER_NAME, sans_dns={SERVER_NAME})


class Requirer(TLSCertificatesRequiresV4):
    """The library's requirer."""

    def __init__(self, charm: ops.CharmBase, endpoint: str):
        super().__init__(charm, endpoint, certificate_requests=[WANTED], mode=Mode.APP)

    def on_event(self, event: ops.EventBase) -> None:
        """Do what the library does at ``event``. It observes the event too late to hear of it.

        The library has these as private handlers alone: its public `sync` does not ask for
        another certificate, takes back no secret and removes no key.
        """
        if isinstance(event, ops.SecretExpiredEvent):
            self._on_secret_expired(event)
        elif isinstance(event, ops.SecretRemoveEvent):
            self._on_secret_remove(event)
        elif isinstance(event, ops.RelationBrokenEvent):
            self._on_relation_broken(event)

    def obtain(self, provider: str) -> Issued:
        """Ask ``provider``, and return what it issued. The library asks for a successor in time.

        Raise `errors.Unready` if ``provider`` must act first, or its operator, and `PairRefused`
        if the pair cannot be served.
        """
        self.sync()
        requests = self.get_csrs_from_requirer_relation_data()
        asked = [request.certificate_signing_request for request in requests]
        for refused in self.get_request_errors():
            if refused.certificate_signing_request in asked:
                error = refused.error
                if error.name == "DOMAIN_NOT_ALLOWED":
                    text = blocked.NAME_REFUSED(authority=provider, name=SERVER_NAME)
                else:
                    reason = brief(error.reason or error.message or error.name)
                    text = blocked.REQUEST_REFUSED(authority=provider, reason=reason)
                raise Blocked(text, announced=True)
        issued, key = self.get_assigned_certificate(WANTED)
        if not issued or not key or issued.revoked:
            raise Waiting(waiting.CERTIFICATE(authority=provider), announced=True)
        chain = [str(certificate) for certificate in issued.chain]
        pair = x509.key_pair(str(issued.certificate), str(key), *chain, str(issued.ca))
        return Issued(pair, x509.check(pair).renewal)
