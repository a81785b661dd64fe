"""The newer protocol of ``tls-certificates``: a signing request in the application databag,
and a private key that never leaves this application's own Juju secret.

Spoken by self-signed-certificates, vault >= 1.16, lego and others. The protocol itself is
the library's; it costs a tenth of a second to import, so only leaders that may need it do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from certificates import pem
from cluster import manifests
from errors import Blocked

if TYPE_CHECKING:
    import ops
    from charmlibs.interfaces.tls_certificates import (
        CertificateRequestAttributes,
        ProviderCapabilities,
    )

# How an operator lifts a refusal, by its code's name.
_REMEDIES = {
    "IP_NOT_ALLOWED": "juju config {app} pki_allow_ip_sans=true",
    "DOMAIN_NOT_ALLOWED": "juju config {app} pki_allowed_domains=svc,cluster.local"
    " pki_allow_subdomains=true",
    "WILDCARD_NOT_ALLOWED": "report a bug, no wildcard was asked for",
    "SERVER_NOT_AVAILABLE": "juju status {app}",
}


def is_readable(bag: Mapping[str, str]) -> bool:
    """Whether the library can take in the provider's application databag ``bag``: it raises,
    in handlers of its own, at a certificate or request that is none."""
    from charmlibs.interfaces.tls_certificates import Certificate, CertificateSigningRequest

    try:
        for entry in json.loads(bag.get("certificates") or "[]"):
            CertificateSigningRequest.from_string(entry["certificate_signing_request"])
            for text in (entry["certificate"], entry["ca"], *(entry.get("chain") or ())):
                Certificate.from_string(text)
        for entry in json.loads(bag.get("request_errors") or "[]"):
            CertificateSigningRequest.from_string(entry["csr"])
    except Exception:  # noqa: BLE001  (whatever it is, the library would raise it)
        return False
    return True


class Requirer:
    """One request of the application, for the names that ``names`` returns.

    An empty list of names keeps what was asked for before from being asked for again, and
    makes the library drop it: `names` must fall back on what is remembered.
    """

    def __init__(self, charm: ops.CharmBase, endpoint: str, names: Callable[[], Sequence[str]]):
        from charmlibs.interfaces.tls_certificates import Mode, TLSCertificatesRequiresV4

        self._names = names
        self._library = TLSCertificatesRequiresV4(
            charm, endpoint, certificate_requests=self._requests, mode=Mode.APP
        )

    def sync(self) -> None:
        """Publish the request, and take what has been answered."""
        self._library.sync()

    def reply(self) -> manifests.Bundle | None:
        """The pair that the provider answered with, unchecked; None while there is none."""
        for request in self._requests():
            found, key = self._library.get_assigned_certificate(request)
            if found and key:
                chain = [str(certificate) for certificate in found.chain]
                return pem.bundle(str(found.certificate), str(key), *chain, str(found.ca))
        return None

    def raise_refusal(self, provider: str) -> None:
        """Raise `errors.Blocked` if the provider refused the request, with the remedy."""
        requested = {
            str(r.certificate_signing_request)
            for r in self._library.get_csrs_from_requirer_relation_data()
        }
        for refusal in self._library.get_request_errors():
            if str(refusal.certificate_signing_request) in requested:
                error = refusal.error
                remedy = _REMEDIES.get(error.name, "juju show-status-log {app}")
                reason = " ".join((error.message or "").split())[:120]
                raise Blocked(
                    f"{provider} refuses the certificate: {error.name} {reason}; "
                    f"run: {remedy.format(app=provider)}"
                )

    def signable(self) -> list[str]:
        """The names asked for: all that are wanted, but for addresses where none is signed.

        The webhook kubeconfig names the TLS server, so that an address is a convenience.
        """
        capabilities = self._library.get_provider_capabilities()
        if capabilities is None or capabilities.supports_ip_sans is not False:
            return list(self._names())
        return [name for name in self._names() if name in manifests.HOSTNAMES]

    def _requests(self, *_: ProviderCapabilities | None) -> list[CertificateRequestAttributes]:
        from charmlibs.interfaces.tls_certificates import CertificateRequestAttributes

        names = self.signable()
        if not names:
            return []
        return [
            CertificateRequestAttributes(
                common_name=manifests.HOSTNAMES[0],
                sans_dns={name for name in names if name in manifests.HOSTNAMES},
                sans_ip={name for name in names if name not in manifests.HOSTNAMES},
            )
        ]
