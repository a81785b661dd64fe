# SPDX-License-Identifier: Apache-2.0

"""Step 4: the way from the pods to STS, by a login with keys that nobody has."""

from __future__ import annotations

import dataclasses
import functools
import http.client
import json
import ssl
import time
from collections.abc import Mapping

import times
from access import partitions, refusals
from access.refusals import Cause, Refusal
from checks import Names, Outcome, Site, StepState, again, at_once, failed, not_checked, ok
from checks.end_to_end import LOG_SECONDS, POLL_SECONDS, RECENT
from checks.pods import NOBODY, Deployed
from checks.probe_token import nobodys_token
from cluster import api, pod_logs
from cluster.pods import Serving
from cluster.references import NAMESPACE, POD_LABEL, POD_PORT
from text import brief, in_url, quoted

# How long a pod may take to answer this machine.
ANSWER_SECONDS = 3.0


@dataclasses.dataclass(frozen=True)
class Way:
    """The way from the pods to STS."""

    host: str  # Whom the logins ask.
    uses_proxy: bool  # Whether the pods are told of a proxy.
    names: Names

    def blocked(self, fault: str, detail: str, remedy: str) -> Outcome:
        """Return what a pod met. What is known beyond the fault is in quotes in ``detail``."""
        cause = f" ({detail})" if detail else ""
        return failed(f"{fault}, {self.shown}{cause}", remedy)

    @property
    def shown(self) -> str:
        """Return which way it is."""
        return "through a proxy" if self.uses_proxy else "without a proxy"


def check(site: Site, client: api.Client, deployed: Deployed, deadline: float) -> Outcome:
    """Log in at each pod, and return how far that came on the way to STS by the ``deadline``."""
    if not deployed.pods or not site.shared.cluster_id:
        return not_checked(NOBODY)
    host = partitions.sts(site.region)
    way = Way(host, deployed.uses_proxy, site.names)
    token = nobodys_token(site.region, times.now())
    tasks = {
        pod.name: functools.partial(_log_in, client, pod, token, way, deadline)
        for pod in deployed.pods
    }
    found = at_once(tasks, deadline)
    return verdict({name: found.get(name, _unreached(way)) for name in tasks}, way)


def _log_in(client: api.Client, pod: Serving, token: str, way: Way, deadline: float) -> Outcome:
    """Log in at one pod, and return what that met."""
    try:
        connection = Connection(pod.address, ANSWER_SECONDS)
        connection.announce()
        try:
            connection.log_in(token, deadline - LOG_SECONDS - time.monotonic())
        except TimeoutError:
            return _unreached(way)
    except (OSError, http.client.HTTPException) as error:
        remedy = (
            f"let the control planes reach TCP port {POD_PORT} of the pods; see: "
            f"kubectl -n {NAMESPACE} get networkpolicies"
        )
        return way.blocked("do not answer this machine", quoted(brief(error)), remedy)
    refusal = _logged(client, pod, connection.client)
    connection.close()
    return met(refusal, way)


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
        `access.refusals` knows it by that."""
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


def verdict(answers: Mapping[str, Outcome], way: Way) -> Outcome:
    """Return whether STS answered every pod, given what the login at each met."""
    for state in (StepState.FAILED, StepState.NOT_CHECKED):
        like = [pod for pod, each in answers.items() if each.state == state]
        if like:
            first = answers[like[0]]
            pods = [pod for pod in like if answers[pod].remedy == first.remedy]
            who = "the pods" if len(pods) == len(answers) else f"pods {', '.join(pods)}"
            return dataclasses.replace(first, seen=f"{who} {first.seen}")
    each = "the pod" if len(answers) == 1 else f"all {len(answers)} pods"
    return ok(f"{way.host} answers {each}, {way.shown}")


def met(refusal: Refusal | None, way: Way) -> Outcome:
    """Return what a login met that a pod's log shows as refused; None for no such line."""
    if not refusal:
        return not_checked("do not show the login in their log, so see step 2")
    host, detail = way.host, refusal.detail
    if refusal.cause in (Cause.ACCESS_KEY, Cause.SIGNATURE, Cause.EXPIRED):
        return ok("reach STS")
    if refusal.cause == Cause.UNREACHABLE:
        return _unreached(way, detail)
    if refusal.cause == Cause.THROTTLED:
        remedy = (
            "let people log in through the STS of another region: "
            f"juju run {way.names.leader} get-kubeconfig region=REGION"
        )
        return way.blocked(f"are told by {host} that there are too many requests", detail, remedy)
    if refusal.cause == Cause.CLOCK:
        remedy = way.names.on_machine("timedatectl set-ntp true")
        return way.blocked(f"or {host} disagree with this machine's clock", detail, remedy)
    if refusal.cause == Cause.ENDPOINT:
        return way.blocked(f"do not accept {host}", detail, again(way.names.leader))
    remedy = f"what the pods say: kubectl -n {NAMESPACE} logs -l {POD_LABEL}"
    return way.blocked(f"get an unexpected answer from {host}", detail, remedy)


def _unreached(way: Way, detail: str = "no answer in time") -> Outcome:
    return way.blocked(f"do not reach {way.host}", detail, _open(way, detail))


def _open(way: Way, detail: str) -> str:
    """Return how the pods come to STS; ``detail`` is how far Go's own libraries came."""
    application = way.names.application
    # Go tells of a proxy first, also where its certificate is what is wrong.
    if "proxyconnect" not in detail and ("x509: " in detail or "tls: " in detail):
        return (
            "bring the pods the authority of what opens TLS: "
            f"juju integrate {application}:receive-ca-cert AUTHORITY:send-ca-cert"
        )
    if way.uses_proxy:
        return (
            f"let the proxy serve the nodes, and pass {way.host}:443 on; or correct its URL: "
            "juju model-config juju-https-proxy=http://USER:PASSWORD@HOST:PORT"
        )
    return (
        f"let the DNS that pods use resolve {way.host}, and allow the nodes its TCP port 443; "
        "if only a proxy reaches AWS: juju model-config juju-https-proxy=http://HOST:PORT, then "
        f"juju config {application} web-proxy-enable=true"
    )
