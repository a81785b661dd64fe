# SPDX-License-Identifier: Apache-2.0

"""Step 5: the way from the pods to STS, by a login with keys that nobody has. Pure."""

from __future__ import annotations

import dataclasses
import enum
from collections import defaultdict
from collections.abc import Sequence

from access.refusals import Cause, Refusal
from checks.outcome import Names, Outcome, failed, ok
from checks.probes.counters import Counters
from cluster.references import NAME, NAMESPACE


class Way(enum.Enum):
    """How far a login came on its way to STS, where no refusal says it."""

    REACHED = "reached"
    SILENT = "silent"


Met = Way | Cause
_FAULTS = {
    Cause.DNS: "cannot look up {host}",
    Cause.CONNECTION: "are refused a connection to {host}",
    Cause.TIMEOUT: "get no answer from {host} in time",
    Cause.TLS: (
        "get to something that shows a certificate of an authority they do not trust as {host}"
    ),
    Cause.PROXY: "cannot reach the proxy on their way to {host}",
    Cause.PROXY_REFUSES: "are refused by the proxy on their way to {host}",
    Cause.IMPOSTOR: "get to something other than STS as {host}",
    Cause.FAILING: "get an error of {host} itself",
    Cause.UNREACHABLE: "get no good answer from {host}",
    Cause.THROTTLED: "are told by {host} that there are too many requests",
    Cause.CLOCK: "or {host} have another time than this machine",
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
        counted: What it counted meanwhile, which other people's logins may have a part in.
    """

    pod: str
    problem: str = ""
    status: int = 0
    refusal: Refusal | None = None
    counted: Counters = dataclasses.field(default_factory=Counters)


def verdict(attempts: Sequence[Attempt], host: str, *, uses_proxy: bool, names: Names) -> Outcome:
    """Return whether STS answered every pod.

    ``uses_proxy`` says whether the pods are told of a proxy.
    """
    kinds: dict[Met, list[Attempt]] = defaultdict(list)
    causes: dict[Met, str] = {}
    for attempt in attempts:
        kind, cause = way(attempt)
        kinds[kind].append(attempt)
        causes.setdefault(kind, cause)
    reached = kinds.pop(Way.REACHED, [])
    how = "through a proxy" if uses_proxy else "without a proxy"
    if not kinds:
        each = "the pod" if len(reached) == 1 else f"all {len(reached)} pods"
        return ok(f"{host} answers {each}, {how}")
    # The kind that most pods meet.
    kind, met = max(kinds.items(), key=lambda item: len(item[1]))
    who = "the pods" if len(met) == len(attempts) else f"pods {', '.join(a.pod for a in met)}"
    seen = f"{who} {_FAULTS.get(kind, 'get an unexpected answer from {host}').format(host=host)}"
    cause = f" ({causes[kind]})" if causes[kind] else ""
    return failed(f"{seen}, {how}{cause}", remedy(kind, host, names, uses_proxy=uses_proxy))


def way(attempt: Attempt) -> tuple[Met, str]:
    """Return how far the login came, and what is known of the cause.

    The log decides. Without it the answer does, and the counters.
    """
    if attempt.problem:
        return Way.SILENT, attempt.problem
    if attempt.refusal:
        return _logged(attempt.refusal)
    if attempt.status == 429 or attempt.counted.throttled:
        return Cause.THROTTLED, ""
    if attempt.counted.responses:
        return Way.REACHED, ""
    if attempt.counted.failures:
        return Cause.UNREACHABLE, "see the authenticator's log"
    if not attempt.status:
        return Cause.TIMEOUT, ""
    return Cause.MALFORMED, f"the answer is {attempt.status}, and no request went to STS"


def _logged(refusal: Refusal) -> tuple[Met, str]:
    if refusal.cause in (Cause.ACCESS_KEY, Cause.SIGNATURE, Cause.EXPIRED):
        return Way.REACHED, ""
    return refusal.cause, refusal.detail


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
