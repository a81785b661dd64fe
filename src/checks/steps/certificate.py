# SPDX-License-Identifier: Apache-2.0

"""Step 3: the API server accepts the certificate, and the Service serves exactly that."""

from __future__ import annotations

import dataclasses

from certificates import pem
from certificates import verdict as rules
from certificates.keypair import KeyPair, NotYetValid, Refused
from checks.outcome import Names, Outcome, failed, not_checked, ok
from cluster import references

_RESTART = f"run: kubectl -n {references.NAMESPACE} rollout restart deployment {references.NAME}"


@dataclasses.dataclass(frozen=True)
class Served:
    """What a TLS handshake with the Service brought: the certificate (DER), or why none."""

    leaf: bytes = b""
    problem: str = ""


def verdict(
    pair: KeyPair | None,
    trusted: str,
    address: str,
    served: Served | None,
    names: Names,
    *,
    former: bool = False,
) -> Outcome:
    """Return whether control planes that trust ``trusted`` (PEM) accept what is ``served``.

    ``pair`` is the Secret's, and ``address`` the Service's. ``served`` is None while the
    Service has no pods. ``former`` says whether a pod that serves another certificate may still
    get requests, as it does for a minute after each renewal.
    """
    if not pair:
        return failed(f"Secret {references.SECRET.name} has no certificate", names.reconcile)
    try:
        until = rules.check(dataclasses.replace(pair, ca=trusted or pair.ca))
    except NotYetValid as problem:
        return failed(f"the certificate {problem}", names.on_machine("timedatectl set-ntp true"))
    except Refused as problem:
        return failed(f"the certificate {problem}", _renewal(names))
    good = f"control planes accept it until {until:%Y-%m-%d %H:%M} UTC"
    if not served:
        return not_checked(f"{good}; what the Service serves is not known, see step 2")
    if served.problem:
        return failed(
            f"{good}, but the Service does not serve it: {address}:443: {served.problem}",
            names.on_machine("systemctl restart snap.kube-proxy.daemon"),
        )
    is_other = [served.leaf] != pem.der(pair.certificate)[:1]
    if is_other and former:
        return not_checked(f"{good}; a former pod answered, so check again in a minute")
    if is_other:
        return failed(f"{good}, but the Service serves another certificate", _RESTART)
    return ok(f"{good}; the Service serves it")


def _renewal(names: Names) -> str:
    return f"{names.reconcile}; if that does not help, juju status {names.application} says more"
