# SPDX-License-Identifier: Apache-2.0

"""Step 3: the API server accepts the certificate, and the Service serves exactly that."""

from __future__ import annotations

import base64
import dataclasses
import re
import socket
import ssl

from cryptography.x509.oid import NameOID

from certificates import SERVER_NAME, pem
from certificates import verdict as rules
from certificates.keypair import KeyPair, NotYetValid, PairRefused
from checks import Names, Outcome, Site, failed, not_checked, ok
from checks.authenticator import OPEN_NETWORK, Deployed
from cluster import references
from cluster.pods import Serving
from machine import files
from machine.files import Machine
from machine.webhook_file import PORT
from text import brief, cut, word

# How long the Service and the pods may take to answer this machine.
ANSWER_SECONDS = 3.0
_CA_DATA = re.compile(r"certificate-authority-data:\s*[\"']?([A-Za-z0-9+/=]+)")
# What a step has of a CA's name, which anybody may have chosen.
_MOST_OF_NAME = 100
_RESTART = f"run: kubectl -n {references.NAMESPACE} rollout restart deployment {references.NAME}"


@dataclasses.dataclass(frozen=True)
class Served:
    """What a TLS handshake with the Service brought: the certificate (DER), or why none.

    ``by_pod`` says whether a pod answered then, past the Service.
    """

    leaf: bytes = b""
    problem: str = ""
    by_pod: bool = False


def check(site: Site, deployed: Deployed) -> Outcome:
    """Return what came of the step."""
    address, trusted = site.shared.address, site.shared.ca
    if not address:
        return not_checked("the leader has not published the Service's address yet")
    served = None
    if deployed.pods and not deployed.service:
        try:
            served = Served(leaf(address, PORT, SERVER_NAME, ANSWER_SECONDS))
        except OSError as error:
            served = Served(problem=brief(error), by_pod=_answers(deployed.pods[0]))
    return verdict(
        deployed.pair,
        trusted,
        address,
        served,
        site.names,
        former=deployed.former,
        cluster_ca=_cluster_ca(site.machine),
    )


def _cluster_ca(machine: Machine) -> str:
    """Return whom clients of this machine's API server trust (PEM); empty if that is not known."""
    found = _CA_DATA.search(files.read(machine.admin_kubeconfig) or "")
    try:
        return base64.b64decode(found[1]).decode() if found else ""
    except ValueError:
        return ""


def _answers(pod: Serving) -> bool:
    try:
        return bool(leaf(pod.address, references.POD_PORT, SERVER_NAME, ANSWER_SECONDS))
    except OSError:
        return False


def leaf(address: str, port: int, server_name: str, seconds: float) -> bytes:
    """Return the certificate (DER) that a server shows to whoever asks for ``server_name``.

    Raises:
        OSError: there is no such server, or it does not speak TLS.
    """
    with (
        socket.create_connection((address, port), timeout=seconds) as plain,
        unverified().wrap_socket(plain, server_hostname=server_name) as connection,
    ):
        return connection.getpeercert(binary_form=True) or b""


def unverified() -> ssl.SSLContext:
    """Return what TLS takes any certificate with."""
    # OpenSSL refuses certificates that Go's TLS accepts, so a verdict of its own is worth nothing
    # here: `certificates.verdict` has the one that counts. And nothing secret is sent.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _ca(pair: KeyPair, cluster_ca: str) -> str:
    """Return who signed the certificate of ``pair``, and whether it is the cluster's own CA."""
    (leaf, *_) = pem.certificates(pair.certificate)
    issuer = rules.read(leaf).issuer
    names = [each.value for each in issuer.get_attributes_for_oid(NameOID.COMMON_NAME)]
    name = cut(word(f"{names[0] if names else issuer.rfc4514_string()}"), _MOST_OF_NAME)
    shared = {*pem.certificates(pair.ca)} & {*pem.certificates(cluster_ca)}
    return f"its CA is {name}" + (", which is the cluster's own CA too" if shared else "")


def verdict(
    pair: KeyPair | None,
    trusted: str,
    address: str,
    served: Served | None,
    names: Names,
    *,
    former: bool = False,
    cluster_ca: str = "",
) -> Outcome:
    """Return whether control planes that trust ``trusted`` (PEM) accept what is ``served``.

    ``pair`` is the Secret's, and ``address`` the Service's. ``served`` is None while the
    Service has no pods. ``former`` says whether a pod that serves another certificate may still
    get requests, as it does for a minute after each renewal. ``cluster_ca`` (PEM) is what the API
    server's clients trust.
    """
    if not pair:
        return failed(f"Secret {references.SECRET.name} has no certificate", names.reconcile)
    try:
        until = rules.check(dataclasses.replace(pair, ca=trusted or pair.ca))
    except NotYetValid as problem:
        return failed(f"the certificate {problem}", names.on_machine("timedatectl set-ntp true"))
    except PairRefused as problem:
        status = f"juju status {names.application}"
        remedy = f"{names.reconcile}; if that does not help, {status} says more"
        return failed(f"the certificate {problem}", remedy)
    good = f"control planes accept it until {until:%Y-%m-%d %H:%M} UTC; {_ca(pair, cluster_ca)}"
    if not served:
        return not_checked(f"{good}; what the Service serves is not known, see step 2")
    if served.problem:
        return failed(
            f"{good}, but the Service does not serve it: {address}:443: {served.problem}",
            names.on_machine("systemctl restart snap.kube-proxy.daemon")
            if served.by_pod
            else OPEN_NETWORK,
        )
    is_other = [served.leaf] != pem.der(pair.certificate)[:1]
    if is_other and former:
        return not_checked(f"{good}; a former pod answered, so check again in a minute")
    if is_other:
        return failed(f"{good}, but the Service serves another certificate", _RESTART)
    return ok(f"{good}; the Service serves it")
