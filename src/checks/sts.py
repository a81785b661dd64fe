# SPDX-License-Identifier: Apache-2.0

"""Step 5: the way from the pods to STS, by a login with keys that nobody has."""

from __future__ import annotations

import dataclasses
import enum
import functools
import http.client
import json
import time
from collections import Counter
from collections.abc import Sequence

import times
from access import partitions, refusals
from access.refusals import Cause, Refusal
from checks import Names, Outcome, Site, at_once, failed, made_up, not_checked, ok
from checks.authenticator import NOBODY, Deployed
from checks.certificate import ANSWER_SECONDS, unverified
from checks.end_to_end import LOG_SECONDS, POLL_SECONDS, RECENT
from cluster import api, pod_logs
from cluster.pods import Serving
from cluster.references import NAME, NAMESPACE, POD_PORT
from text import brief, in_url


class Way(enum.Enum):
    """How far a login came on its way to STS, where no refusal says it."""

    REACHED = "reached"
    SILENT = "silent"
    UNKNOWN = "unknown"


Met = Way | Cause
_FAULTS = {
    Cause.DNS: "cannot look up {host}",
    Cause.CONNECTION: "are refused a connection to {host}",
    Cause.TIMEOUT: "get no answer from {host} in time",
    Cause.TLS: "reach {host}, but do not trust its CA",
    Cause.PROXY: "cannot reach the proxy on their way to {host}",
    Cause.PROXY_REFUSES: "are refused by the proxy on their way to {host}",
    Cause.IMPOSTOR: "get to something other than STS as {host}",
    Cause.FAILING: "get an error of {host} itself",
    Cause.UNREACHABLE: "get no good answer from {host}",
    Cause.THROTTLED: "are told by {host} that there are too many requests",
    Cause.CLOCK: "or {host} disagree with this machine's clock",
    Cause.ENDPOINT: "do not accept {host}",
    Cause.MALFORMED: "do not understand a login token",
    Way.SILENT: "do not answer this machine",
}


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What came of the login at one pod.

    Attributes:
        pod: The pod's name.
        problem: Why the pod itself did not answer; empty if it did.
        status: The HTTP status of its answer; 0 if none came in time.
        refusal: What it logged of the login; None if its log has nothing of it.
    """

    pod: str
    problem: str = ""
    status: int = 0
    refusal: Refusal | None = None


def check(site: Site, client: api.Client, deployed: Deployed, deadline: float) -> Outcome:
    """Log in at each pod, and return how far that came on the way to STS by the ``deadline``."""
    if not deployed.pods or not site.shared.cluster_id:
        return not_checked(NOBODY)
    host, region = partitions.sts(site.partition, site.region)
    token = made_up.token(site.shared.cluster_id, host, region, times.now())
    tasks = {
        pod.name: functools.partial(_attempt, client, pod, token, deadline)
        for pod in deployed.pods
    }
    found = at_once(tasks, deadline)
    attempts = [found.get(pod.name) or Attempt(pod.name) for pod in deployed.pods]
    return verdict(attempts, host, uses_proxy=deployed.uses_proxy, names=site.names)


def _attempt(client: api.Client, pod: Serving, token: str, deadline: float) -> Attempt:
    """Log in at one pod, and look at what it made of that."""
    try:
        connection = Pod(pod.address, ANSWER_SECONDS)
        connection.announce()
    except (OSError, http.client.HTTPException) as error:
        return Attempt(pod.name, problem=brief(error))
    connection.wait(deadline - LOG_SECONDS - time.monotonic())
    try:
        status = connection.log_in(token)
    except TimeoutError:
        return Attempt(pod.name)
    except (OSError, http.client.HTTPException) as error:
        return Attempt(pod.name, problem=brief(error))
    refusal = _logged(client, pod, connection.client)
    connection.close()
    return Attempt(pod.name, status=status, refusal=refusal)


def _logged(client: api.Client, pod: Serving, address: str) -> Refusal | None:
    """Return the refusal of the login from ``address``, once the pod's log has it."""
    until = time.monotonic() + LOG_SECONDS / 2
    while True:
        lines = pod_logs.read(client, RECENT, LOG_SECONDS / 2, pod.name).lines
        found = refusals.of_client(lines, address)
        if found or time.monotonic() > until:
            return found
        time.sleep(POLL_SECONDS)


class Pod:
    """A connection to a pod, over which the requests go one after the other."""

    def __init__(self, address: str, seconds: float):
        self._connection = http.client.HTTPSConnection(
            address, POD_PORT, timeout=seconds, context=unverified()
        )
        self._connection.connect()

    @property
    def client(self) -> str:
        """Return this end's address and port, as the authenticator logs them."""
        host, port, *_ = self._connection.sock.getsockname()
        return f"{in_url(host)}:{port}"

    def wait(self, seconds: float) -> None:
        """Let an answer take so long from now on."""
        self._connection.sock.settimeout(max(0.001, seconds))

    def announce(self) -> None:
        """Send what no API server sends. `access.logins` knows by it that the login that comes
        next is nobody's."""
        self._connection.request("GET", "/authenticate")
        self._connection.getresponse().read()

    def log_in(self, token: str) -> int:
        """Return the HTTP status of the authenticator's answer to a login."""
        review = {
            "apiVersion": "authentication.k8s.io/v1beta1",
            "kind": "TokenReview",
            "spec": {"token": token},
        }
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/authenticate", json.dumps(review), headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def verdict(attempts: Sequence[Attempt], host: str, *, uses_proxy: bool, names: Names) -> Outcome:
    """Return whether STS answered every pod.

    ``uses_proxy`` says whether the pods are told of a proxy.
    """
    ways = [(attempt.pod, *way(attempt)) for attempt in attempts]
    faults = Counter(kind for _, kind, _ in ways if kind not in (Way.REACHED, Way.UNKNOWN))
    how = "through a proxy" if uses_proxy else "without a proxy"
    if not faults:
        if unknown := [pod for pod, kind, _ in ways if kind == Way.UNKNOWN]:
            pods = ", ".join(unknown)
            return not_checked(f"the login does not show in the log of pods {pods}, so see step 2")
        each = "the pod" if len(ways) == 1 else f"all {len(ways)} pods"
        return ok(f"{host} answers {each}, {how}")
    # The kind that most pods meet.
    kind, _ = faults.most_common(1)[0]
    met = {pod: detail for pod, each, detail in ways if each == kind}
    who = "the pods" if len(met) == len(ways) else f"pods {', '.join(met)}"
    seen = f"{who} {_FAULTS.get(kind, 'get an unexpected answer from {host}').format(host=host)}"
    detail = next(iter(met.values()))
    cause = f" ({detail})" if detail else ""
    return failed(f"{seen}, {how}{cause}", remedy(kind, host, names, uses_proxy=uses_proxy))


def way(attempt: Attempt) -> tuple[Met, str]:
    """Return how far the login came, and what is known beyond that. The pod's log decides."""
    if attempt.problem:
        return Way.SILENT, attempt.problem
    if not attempt.refusal:
        return Way.UNKNOWN if attempt.status else Cause.TIMEOUT, ""
    if attempt.refusal.cause in (Cause.ACCESS_KEY, Cause.SIGNATURE, Cause.EXPIRED):
        return Way.REACHED, ""
    return attempt.refusal.cause, attempt.refusal.detail


def remedy(kind: Met, host: str, names: Names, *, uses_proxy: bool) -> str:
    """Return what clears the way, by what is in it."""
    application = names.application
    if kind == Cause.DNS:
        text = f"let the DNS that pods use resolve {host}"
        return text if uses_proxy else f"{text}; {_use_proxy(application)}"
    unanswered = (Cause.CONNECTION, Cause.TIMEOUT, Cause.IMPOSTOR)
    if kind in (Cause.PROXY, Cause.PROXY_REFUSES) or (uses_proxy and kind in unanswered):
        return (
            f"let the proxy serve the nodes, and pass {host}:443 on; or correct its URL: "
            "juju model-config juju-https-proxy=http://USER:PASSWORD@HOST:PORT"
        )
    if kind in (*unanswered, Cause.UNREACHABLE):
        return f"allow the nodes TCP port 443 of {host}; {_use_proxy(application)}"
    if kind == Cause.TLS:
        return (
            "bring the pods the authority of what opens TLS: "
            f"juju integrate {application}:receive-ca-cert AUTHORITY:send-ca-cert"
        )
    if kind in (Cause.THROTTLED, Cause.FAILING):
        return (
            "let people log in through the STS of another region: "
            f"juju run {application}/leader get-kubeconfig region=REGION"
        )
    if kind == Cause.CLOCK:
        return names.on_machine("timedatectl set-ntp true")
    if kind == Cause.ENDPOINT:
        return names.reconcile
    if kind == Way.SILENT:
        return names.on_machine("systemctl restart snap.kube-proxy.daemon")
    if kind == Cause.MALFORMED:
        return f"set an image of v0.5.0 or newer: juju config {application} image=IMAGE"
    return f"what the pods say: kubectl -n {NAMESPACE} logs -l k8s-app={NAME}"


def _use_proxy(application: str) -> str:
    return (
        "if only a proxy reaches AWS: juju model-config juju-https-proxy=http://HOST:PORT, then "
        f"juju config {application} web-proxy-enable=true"
    )
