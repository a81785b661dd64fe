# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Step 5: the way from the pods to STS, by a login with keys that nobody has. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Sequence

from access import refusals
from access.refusals import Refusal
from checks.outcome import Names, Outcome, failed, ok
from checks.probes.counters import Counters
from cluster.references import NAME, NAMESPACE

REACHED, SILENT = "reached", "silent"
DNS, REFUSED, TIMEOUT, TLS, PROXY, PROXY_REFUSES, IMPOSTOR, FAILING = (
    "dns",
    "refused",
    "timeout",
    "tls",
    "proxy",
    "proxy refuses",
    "impostor",
    "failing",
)
# How the errors of Go's net, crypto/tls and net/http tell what is in the way; the first that fits.
# Of a CONNECT that a proxy refuses, Go gives the text of the status only.
_CAUSES = (
    (re.compile(r"proxyconnect "), PROXY),
    (
        re.compile(
            r": (Proxy Authentication Required|Forbidden|Bad Gateway|Gateway Timeout|"
            r"Service Unavailable|Method Not Allowed|Bad Request) on \S+ endpoint$"
        ),
        PROXY_REFUSES,
    ),
    (re.compile(r"x509: |tls: "), TLS),
    (re.compile(r"lookup |:53: |no such host|server misbehaving"), DNS),
    (re.compile(r"connection refused|connection reset|no route|unreachable\b.*connect"), REFUSED),
    (re.compile(r"connect: network is unreachable|: EOF"), REFUSED),
    (re.compile(r"timeout|Timeout|deadline exceeded"), TIMEOUT),
    (re.compile(r"something else answers"), IMPOSTOR),
    (re.compile(r"^STS answers "), FAILING),
)
_FAULTS = {
    DNS: "cannot look up {host}",
    REFUSED: "are refused a connection to {host}",
    TIMEOUT: "get no answer from {host} in time",
    TLS: "get to something that shows a certificate of an authority they do not trust as {host}",
    PROXY: "cannot reach the proxy on their way to {host}",
    PROXY_REFUSES: "are refused by the proxy on their way to {host}",
    IMPOSTOR: "get to something other than STS as {host}",
    FAILING: "get an error of {host} itself",
    refusals.UNREACHABLE: "get no good answer from {host}",
    refusals.THROTTLED: "are told by {host} that there are too many requests",
    refusals.CLOCK: "or {host} have another time than this machine",
    refusals.ENDPOINT: "do not accept {host}",
    refusals.MALFORMED: "do not understand a login token",
    SILENT: "do not answer this machine",
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
    kinds: dict[str, list[Attempt]] = defaultdict(list)
    causes: dict[str, str] = {}
    for attempt in attempts:
        kind, cause = way(attempt)
        kinds[kind].append(attempt)
        causes.setdefault(kind, cause)
    reached = kinds.pop(REACHED, [])
    how = "through a proxy" if uses_proxy else "without a proxy"
    if not kinds:
        each = "the pod" if len(reached) == 1 else f"all {len(reached)} pods"
        return ok(f"{host} answers {each}, {how}")
    # The kind that most pods meet.
    kind, met = max(kinds.items(), key=lambda item: len(item[1]))
    who = "the pods" if len(met) == len(attempts) else f"pods {', '.join(a.pod for a in met)}"
    seen = f"{who} {_FAULTS.get(kind, 'are answered oddly by {host}').format(host=host)}"
    cause = f" ({causes[kind]})" if causes[kind] else ""
    return failed(f"{seen}, {how}{cause}", remedy(kind, host, names, uses_proxy=uses_proxy))


def way(attempt: Attempt) -> tuple[str, str]:
    """Return how far the login came, and what is known of the cause.

    The log decides. Without it the answer does, and the counters.
    """
    if attempt.problem:
        return SILENT, attempt.problem
    if attempt.refusal:
        return _logged(attempt.refusal)
    if attempt.status == 429 or attempt.counted.throttled:
        return refusals.THROTTLED, ""
    if attempt.counted.responses:
        return REACHED, ""
    if attempt.counted.failures:
        return refusals.UNREACHABLE, "see the authenticator's log"
    if not attempt.status:
        return TIMEOUT, ""
    return refusals.MALFORMED, f"the answer is {attempt.status}, and no request went to STS"


def _logged(refusal: Refusal) -> tuple[str, str]:
    if refusal.kind in (refusals.ACCESS_KEY, refusals.SIGNATURE, refusals.EXPIRED):
        return REACHED, ""
    if refusal.kind != refusals.UNREACHABLE:
        return refusal.kind, refusal.text
    kind = next((kind for mark, kind in _CAUSES if mark.search(refusal.text)), refusal.kind)
    return kind, refusal.text.rpartition("no answer from STS: ")[2]


def remedy(kind: str, host: str, names: Names, *, uses_proxy: bool) -> str:
    """Return what clears the way, by what is in it."""
    application = names.application
    if kind == DNS:
        text = f"let the DNS that pods use resolve {host}"
        return text if uses_proxy else f"{text}; {_use_proxy(application)}"
    if kind in (PROXY, PROXY_REFUSES) or (uses_proxy and kind in (REFUSED, TIMEOUT, IMPOSTOR)):
        return (
            f"let the proxy serve the nodes, and pass {host}:443 on; or correct its URL: "
            "juju model-config juju-https-proxy=http://USER:PASSWORD@HOST:PORT"
        )
    if kind in (REFUSED, TIMEOUT, IMPOSTOR, refusals.UNREACHABLE):
        return f"allow the nodes TCP port 443 of {host}; {_use_proxy(application)}"
    if kind == TLS:
        return (
            "bring the pods the authority of what opens TLS: "
            f"juju integrate {application}:receive-ca-cert AUTHORITY:send-ca-cert"
        )
    if kind in (refusals.THROTTLED, FAILING):
        return (
            "let people log in through the STS of another region: "
            f"juju run {application}/leader get-kubeconfig region=REGION"
        )
    if kind == refusals.CLOCK:
        return names.on_machine("timedatectl set-ntp true")
    if kind == refusals.ENDPOINT:
        return names.reconcile
    if kind == SILENT:
        return names.on_machine("systemctl restart snap.kube-proxy.daemon")
    if kind == refusals.MALFORMED:
        return f"set an image of v0.5.0 or newer: juju config {application} image=IMAGE"
    return f"what the pods say: kubectl -n {NAMESPACE} logs -l k8s-app={NAME}"


def _use_proxy(application: str) -> str:
    return (
        "if only a proxy reaches AWS: juju model-config juju-https-proxy=http://HOST:PORT, then "
        f"juju config {application} web-proxy-enable=true"
    )
