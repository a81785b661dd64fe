# SPDX-License-Identifier: Apache-2.0

"""The newer protocol of ``tls-certificates``.

It uses the application databags, and a signing request: the private key never leaves this
application's own Juju secret. self-signed-certificates, vault >= 1.16, lego and others speak it.
The protocol itself is the library's. Its import takes a tenth of a second, so only leaders that
may need it import it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from certificates import pem
from certificates.keypair import KeyPair
from certificates.sans import COMMON_NAME, HOSTNAMES
from statuses import blocked
from text import brief

if TYPE_CHECKING:
    import ops
    from charmlibs.interfaces.tls_certificates import (
        Certificate,
        CertificateError,
        CertificateRequestAttributes,
        CertificateSigningRequest,
        PrivateKey,
        ProviderCapabilities,
        ProviderCertificate,
    )

# What Vault says of a name. The charm of vault has the code OTHER for all but a common name.
_NAME_REFUSED = "not allowed by this role"
_MARGIN = 100


def is_readable(bag: Mapping[str, str]) -> bool:
    """Return whether the library can read ``bag``, the provider's application databag.

    The library raises at a malformed certificate or request, in event handlers of its own. It
    reads some parts of a certificate later than others, so all that it ever reads is read here.
    """
    from charmlibs.interfaces.tls_certificates import Certificate, CertificateSigningRequest

    try:
        _loaded(bag.get("capabilities") or "null")
        for entry in _loaded(bag.get("certificates") or "[]"):
            csr = CertificateSigningRequest.from_string(entry["certificate_signing_request"])
            _read(csr)
            for text in (entry["certificate"], entry["ca"], *(entry.get("chain") or ())):
                certificate = Certificate.from_string(text)
                _read(certificate)
                csr.matches_certificate(certificate)  # It reads the public key.
        for entry in _loaded(bag.get("request_errors") or "[]"):
            _read(CertificateSigningRequest.from_string(entry["csr"]))
    except Exception:  # noqa: BLE001  (whatever it is, the library would raise it)
        return False
    return True


def _loaded(text: str) -> Any:
    # The library loads it in calls that are nested deeper, so fewer levels of JSON are left.
    json.loads("[" * _MARGIN + text + "]" * _MARGIN)
    return json.loads(text)


def _read(value: Certificate | CertificateSigningRequest) -> None:
    """Read every property of ``value``."""
    for name, member in vars(type(value)).items():
        if isinstance(member, property):
            getattr(value, name)
    str(value)


class Requirer:
    """The request of the application, for the names that ``sans`` returns.

    ``sans`` must return the remembered names where nothing newer is known: given none, the
    library drops the request, and the provider the certificate.

    vault 1.16 and 1.17 sign names of one domain, and leave a request for others unanswered. If
    the provider ``is_silent``, a second request follows, for the names of one domain. The request
    that is answered stays, and the other goes.
    """

    def __init__(
        self,
        charm: ops.CharmBase,
        endpoint: str,
        sans: Callable[[], Sequence[str]],
        *,
        is_silent: bool,
    ):
        from charmlibs.interfaces.tls_certificates import Mode, TLSCertificatesRequiresV4

        self._sans = sans
        self._is_silent = is_silent
        self._library = TLSCertificatesRequiresV4(
            charm, endpoint, certificate_requests=self._requests, mode=Mode.APP
        )

    def sync(self) -> None:
        """Publish the request, and read the answers."""
        self._library.sync()

    def reply(self) -> KeyPair | None:
        """Return the pair that the provider issued, unchecked; None while there is none."""
        found, key = self._assigned()
        if not found or not key or found.revoked:
            return None
        chain = [str(certificate) for certificate in found.chain]
        return pem.key_pair(str(found.certificate), str(key), *chain, str(found.ca))

    def is_revoked(self) -> bool:
        """Return whether the provider revoked what it issued, and issued nothing since."""
        found, _ = self._assigned()
        return bool(found and found.revoked)

    def _assigned(self) -> tuple[ProviderCertificate | None, PrivateKey | None]:
        for request in self._requests():
            found, key = self._library.get_assigned_certificate(request)
            if found:
                return found, key
        return None, None

    def refusal(self, provider: str) -> str:
        """Return why ``provider`` refused the request, with the remedy; empty if it did not."""
        requested = {
            str(r.certificate_signing_request)
            for r in self._library.get_csrs_from_requirer_relation_data()
        }
        for refused in self._library.get_request_errors():
            if str(refused.certificate_signing_request) in requested:
                return _refusal(provider, refused.error)
        return ""

    def wanted(self) -> list[str]:
        """Return the names that the certificate must cover: those of the request it answers."""
        return next(filter(self._is_answered, self._candidate_sans()), self._signable())

    def _candidate_sans(self) -> tuple[list[str], list[str]]:
        """Return all names, and those of them that are of one domain."""
        names = self._signable()
        return names, [name for name in names if name == COMMON_NAME or name not in HOSTNAMES]

    @functools.cached_property
    def _answered(self) -> list[set[str]]:
        """Return the names of each request that the provider has issued a certificate for.

        They stay the same in a hook, and reading them costs some milliseconds.
        """
        found = self._library.get_provider_certificates()
        return [_names(issued.certificate_signing_request) for issued in found]

    def _is_answered(self, names: Sequence[str]) -> bool:
        return set(names) in self._answered

    def _is_requested(self, names: Sequence[str]) -> bool:
        found = self._library.get_csrs_from_requirer_relation_data()
        return set(names) in [_names(asked.certificate_signing_request) for asked in found]

    def _signable(self) -> list[str]:
        """Return the names to ask for: without addresses where the provider signs none.

        Control planes check the TLS server name of the webhook's kubeconfig, not the address.
        """
        capabilities = self._library.get_provider_capabilities()
        if capabilities is None or capabilities.supports_ip_sans is not False:
            return list(self._sans())
        return [name for name in self._sans() if name in HOSTNAMES]

    def _requests(self, *_: ProviderCapabilities | None) -> list[CertificateRequestAttributes]:
        candidates = everything, one_domain = self._candidate_sans()
        if not everything:
            return []
        for names in candidates:
            if self._is_answered(names):
                return [_attributes(names)]
        if self._is_silent or self._is_requested(one_domain):
            return [_attributes(names) for names in candidates]
        return [_attributes(everything)]


def _attributes(names: Sequence[str]) -> CertificateRequestAttributes:
    from charmlibs.interfaces.tls_certificates import CertificateRequestAttributes

    return CertificateRequestAttributes(
        common_name=COMMON_NAME,
        sans_dns={name for name in names if name in HOSTNAMES},
        sans_ip={name for name in names if name not in HOSTNAMES},
    )


def _refusal(provider: str, error: CertificateError) -> str:
    """Return the status for an ``error`` that ``provider`` answered with."""
    # vault appends the address that its charm has asked.
    reason = (error.reason or error.message or error.name).partition(", on ")[0]
    if error.name == "IP_NOT_ALLOWED":
        return blocked.ADDRESSES_REFUSED(authority=provider)
    if _NAME_REFUSED in reason and HOSTNAMES[1] in reason:
        return blocked.DOMAIN_REFUSED(authority=provider)
    if error.name == "DOMAIN_NOT_ALLOWED" or _NAME_REFUSED in reason:
        return blocked.NAMES_REFUSED(authority=provider)
    said = brief(reason)
    if error.name == "SERVER_NOT_AVAILABLE":
        return blocked.AUTHORITY_AWAY(authority=provider, reason=said)
    return blocked.REQUEST_REFUSED(authority=provider, reason=said)


def _names(csr: CertificateSigningRequest) -> set[str]:
    return csr.sans_dns | csr.sans_ip
