# SPDX-License-Identifier: Apache-2.0

"""Step 4: the way from the pods to STS, by a login with keys that nobody has."""

from __future__ import annotations

import enum
import functools
import http.client
import json
import ssl
import time
from collections.abc import Mapping

import times
from access import partitions, refusals
from access.refusals import Cause, Refusal
from checks import Names, Outcome, Site, at_once, failed, not_checked, ok, probe_token
from checks.end_to_end import LOG_SECONDS, POLL_SECONDS, RECENT
from checks.pods import NOBODY, Deployed
from cluster import api, pod_logs
from cluster.pods import Serving
from cluster.references import NAMESPACE, POD_LABEL, POD_PORT
from text import brief, in_url, quoted

# How long a pod may take to answer this machine.
ANSWER_SECONDS = 3.0


class Reach(enum.Enum):
    """How far a login came on its way to STS, where no refusal says it."""

    REACHED = "reached"
    SILENT = "silent"
    UNKNOWN = "unknown"


Met = Reach | Cause
# How far a login came, and what is known beyond that: the words of others in quotes.
Answer = tuple[Met, str]
_LATE: Answer = Cause.UNREACHABLE, "no answer in time"
_FAULTS = {
    Cause.UNREACHABLE: "do not reach {host}",
    Cause.THROTTLED: "are told by {host} that there are too many requests",
    Cause.CLOCK: "or {host} disagree with this machine's clock",
    Cause.ENDPOINT: "do not accept {host}",
    Reach.SILENT: "do not answer this machine",
}


def check(site: Site, client: api.Client, deployed: Deployed, deadline: float) -> Outcome:
    """Log in at each pod, and return how far that came on the way to STS by the ``deadline``."""
    if not deployed.pods or not site.shared.cluster_id:
        return not_checked(NOBODY)
    host, region = partitions.sts(site.partition, site.region)
    token = probe_token.token(site.shared.cluster_id, host, region, times.now())
    tasks = {
        pod.name: functools.partial(_log_in, client, pod, token, deadline) for pod in deployed.pods
    }
    found = at_once(tasks, deadline)
    answers = {name: found.get(name, _LATE) for name in tasks}
    return verdict(answers, host, uses_proxy=deployed.uses_proxy, names=site.names)


def _log_in(client: api.Client, pod: Serving, token: str, deadline: float) -> Answer:
    """Log in at one pod, and return how far that came."""
    try:
        connection = Connection(pod.address, ANSWER_SECONDS)
        connection.announce()
    except (OSError, http.client.HTTPException) as error:
        return Reach.SILENT, quoted(brief(error))
    try:
        connection.log_in(token, deadline - LOG_SECONDS - time.monotonic())
    except TimeoutError:
        return _LATE
    except (OSError, http.client.HTTPException) as error:
        return Reach.SILENT, quoted(brief(error))
    refusal = _logged(client, pod, connection.client)
    connection.close()
    return reach(refusal)


def _logged(client: api.Client, pod: Serving, address: str) -> Refusal | None:
    """Return the refusal of the login from ``address``, once the pod's log has it."""
    until = time.monotonic() + LOG_SECONDS / 2
    while True:
        lines = pod_logs.read(client, RECENT, LOG_SECONDS / 2, pod.name).lines
        found = refusals.of_client(lines, address)
        if found or time.monotonic() > until:
            return found
        time.sleep(POLL_SECONDS)


class Connection:
    """A connection to a pod, over which the requests go one after the other."""

    def __init__(self, address: str, seconds: float):
        self._connection = http.client.HTTPSConnection(
            address, POD_PORT, timeout=seconds, context=_unverified()
        )
        self._connection.connect()

    @property
    def client(self) -> str:
        """Return this end's address and port, as the authenticator logs them."""
        host, port, *_ = self._connection.sock.getsockname()
        return f"{in_url(host)}:{port}"

    def announce(self) -> None:
        """Send what no API server sends, so that the login that comes next counts as nobody's:
        `access.login_lines` knows it by that."""
        self._connection.request("GET", "/authenticate")
        self._connection.getresponse().read()

    def log_in(self, token: str, seconds: float) -> None:
        """Log in. No part of the answer may take longer than ``seconds``."""
        self._connection.sock.settimeout(max(0.001, seconds))
        review = {
            "apiVersion": "authentication.k8s.io/v1beta1",
            "kind": "TokenReview",
            "spec": {"token": token},
        }
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/authenticate", json.dumps(review), headers)
        self._connection.getresponse().read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _unverified() -> ssl.SSLContext:
    """Return what TLS takes any certificate with: nothing secret is sent, no answer is read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def verdict(
    answers: Mapping[str, Answer], host: str, *, uses_proxy: bool, names: Names
) -> Outcome:
    """Return whether STS answered every pod, given how far the login at each came.

    ``uses_proxy`` says whether the pods are told of a proxy.
    """
    how = "through a proxy" if uses_proxy else "without a proxy"
    fine = (Reach.REACHED, Reach.UNKNOWN)
    kind, detail = next((each for each in answers.values() if each[0] not in fine), (None, ""))
    if not kind:
        if unknown := [pod for pod, (met, _) in answers.items() if met == Reach.UNKNOWN]:
            pods = ", ".join(unknown)
            return not_checked(f"the login does not show in the log of pods {pods}, so see step 2")
        each = "the pod" if len(answers) == 1 else f"all {len(answers)} pods"
        return ok(f"{host} answers {each}, {how}")
    pods = [pod for pod, (met, _) in answers.items() if met == kind]
    who = "the pods" if len(pods) == len(answers) else f"pods {', '.join(pods)}"
    seen = f"{who} {_FAULTS.get(kind, 'get an unexpected answer from {host}').format(host=host)}"
    cause = f" ({detail})" if detail else ""
    return failed(
        f"{seen}, {how}{cause}", remedy(kind, detail, host, names, uses_proxy=uses_proxy)
    )


def reach(refusal: Refusal | None) -> Answer:
    """Return how far the login came that a pod's log shows as refused; None for no such line."""
    if not refusal:
        return Reach.UNKNOWN, ""
    if refusal.cause in (Cause.ACCESS_KEY, Cause.SIGNATURE, Cause.EXPIRED):
        return Reach.REACHED, ""
    return refusal.cause, refusal.detail


def remedy(kind: Met, detail: str, host: str, names: Names, *, uses_proxy: bool) -> str:
    """Return what clears the way, by what is in it."""
    application = names.application
    if kind == Cause.UNREACHABLE:
        return _open_way(detail, host, application, uses_proxy=uses_proxy)
    if kind == Cause.THROTTLED:
        return (
            "let people log in through the STS of another region: "
            f"juju run {application}/leader get-kubeconfig region=REGION"
        )
    if kind == Cause.CLOCK:
        return names.on_machine("timedatectl set-ntp true")
    if kind == Cause.ENDPOINT:
        return names.reconcile
    if kind == Reach.SILENT:
        return (
            f"let the control planes reach TCP port {POD_PORT} of the pods; see: "
            f"kubectl -n {NAMESPACE} get networkpolicies"
        )
    return f"what the pods say: kubectl -n {NAMESPACE} logs -l {POD_LABEL}"


def _open_way(detail: str, host: str, application: str, *, uses_proxy: bool) -> str:
    """Return how the pods come to STS; ``detail`` is how far Go's own libraries came."""
    # Go tells of a proxy first, also where its certificate is what is wrong.
    if "proxyconnect" not in detail and ("x509: " in detail or "tls: " in detail):
        return (
            "bring the pods the authority of what opens TLS: "
            f"juju integrate {application}:receive-ca-cert AUTHORITY:send-ca-cert"
        )
    if uses_proxy:
        return (
            f"let the proxy serve the nodes, and pass {host}:443 on; or correct its URL: "
            "juju model-config juju-https-proxy=http://USER:PASSWORD@HOST:PORT"
        )
    return (
        f"let the DNS that pods use resolve {host}, and allow the nodes its TCP port 443; "
        f"{_use_proxy(application)}"
    )


def _use_proxy(application: str) -> str:
    return (
        "if only a proxy reaches AWS: juju model-config juju-https-proxy=http://HOST:PORT, then "
        f"juju config {application} web-proxy-enable=true"
    )
