# SPDX-License-Identifier: Apache-2.0

"""Step 4: the way from the pods to STS, by a login with keys that nobody has.

Sources: AWS's documentation "Create a signed AWS API request" for Signature Version 4, and
aws-iam-authenticator v0.7.18 (``pkg/token``) for what a token is.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import http.client
import json
import secrets
import ssl
import time
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import times
from access import partitions, refusals
from access.refusals import Cause, Refusal
from checks import Outcome, Site, StepState, again, at_once, failed, not_checked, ok
from checks.pods import NOBODY, Deployed
from cluster import api, pod_logs
from cluster.pods import Serving
from cluster.references import NAMESPACE, POD_LABEL, POD_PORT
from text import brief, in_url, quoted

# How long a pod may take to answer this machine.
ANSWER_SECONDS = 3.0
# What is kept of the time for the logs, once a pod has answered or has not.
LOG_SECONDS = 1.2
# How far back the logs are read, and how often until they have what was sent.
RECENT = 60
POLL_SECONDS = 0.2
# Who follows a login up in a proxy's log finds this name in it.
_ACCESS_KEY_ID = "AKIAMADEUPBYTHECHECK"


@dataclasses.dataclass(frozen=True)
class Way:
    """The way from the pods to STS."""

    site: Site
    uses_proxy: bool  # Whether the pods are told of a proxy.

    @property
    def host(self) -> str:
        """Return whom the logins ask."""
        return partitions.sts(self.site.region)

    def __str__(self) -> str:
        return "through a proxy" if self.uses_proxy else "without a proxy"

    def blocked(self, fault: str, detail: str, remedy: str) -> Outcome:
        """Return what a pod met. What is known beyond the fault is in quotes in ``detail``."""
        cause = f" ({detail})" if detail else ""
        return failed(f"{fault}, {self}{cause}", remedy)


def check(site: Site, client: api.Client, deployed: Deployed, deadline: float) -> Outcome:
    """Log in at each pod, and return how far that came on the way to STS by the ``deadline``."""
    if not deployed.pods or not site.shared.cluster_id:
        return not_checked(NOBODY)
    way = Way(site, deployed.uses_proxy)
    token = nobodys_token(site.region, times.now())
    tasks = {
        pod.name: functools.partial(_try, client, pod, token, way, deadline)
        for pod in deployed.pods
    }
    found = at_once(tasks, deadline)
    return verdict({name: found.get(name, _unreached(way)) for name in tasks}, way)


def _try(client: api.Client, pod: Serving, token: str, way: Way, deadline: float) -> Outcome:
    """Log in at one pod, and return what that met."""
    try:
        address = log_in(pod.address, token, deadline - LOG_SECONDS - time.monotonic())
    except (OSError, http.client.HTTPException) as error:
        remedy = (
            f"let the control planes reach TCP port {POD_PORT} of the pods; see: "
            f"kubectl -n {NAMESPACE} get networkpolicies"
        )
        return way.blocked("do not answer this machine", quoted(brief(error)), remedy)
    return met(_logged(client, pod, address), way) if address else _unreached(way)


def _logged(client: api.Client, pod: Serving, address: str) -> Refusal | None:
    """Return the refusal of the login from ``address``, once the pod's log has it."""
    until = time.monotonic() + LOG_SECONDS / 2
    while True:
        lines = pod_logs.read(client, RECENT, LOG_SECONDS / 2, pod.name).lines
        found = refusals.of_client(lines, address)
        if found or time.monotonic() > until:
            return found
        time.sleep(POLL_SECONDS)


def log_in(pod: str, token: str, seconds: float) -> str:
    """Log in at the address of a ``pod``, and return this end's address and port, as the pod logs
    them; empty if the login has no answer in ``seconds``.

    Raise `OSError` or `http.client.HTTPException` if the pod does not answer at all.
    """
    # Nothing secret is sent, and no answer is read, so any certificate will do.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        pod, POD_PORT, timeout=ANSWER_SECONDS, context=context
    )
    review = {
        "apiVersion": "authentication.k8s.io/v1beta1",
        "kind": "TokenReview",
        "spec": {"token": token},
    }
    try:
        # No API server sends this: by it, `access.refusals` takes the login that comes next for
        # nobody's.
        connection.request("GET", "/authenticate")
        connection.getresponse().read()
        host, port, *_ = connection.sock.getsockname()
        connection.sock.settimeout(max(0.001, seconds))
        headers = {"Content-Type": "application/json"}
        try:
            connection.request("POST", "/authenticate", json.dumps(review), headers)
            connection.getresponse().read()
        except TimeoutError:
            return ""
        return f"{in_url(host)}:{port}"
    finally:
        connection.close()


def nobodys_token(region: str, now: datetime.datetime, extra: str = "") -> str:
    """Return a token as people's are, for the STS in ``region``.

    Its signature is drawn: without the secret key, nobody can tell it from one that was made. STS
    refuses it, so it lets nobody in, wherever it ends up.

    The authenticator refuses a token with a query parameter ``extra`` ahead of any request to
    STS, and quotes the parameter in its log.
    """
    at = now.strftime("%Y%m%dT%H%M%SZ")
    parameters = {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{_ACCESS_KEY_ID}/{at[:8]}/{region}/sts/aws4_request",
        "X-Amz-Date": at,
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
        **({extra: "1"} if extra else {}),
    }
    query = urlencode(sorted(parameters.items()), quote_via=quote, safe="-_.~")
    url = f"https://{partitions.sts(region)}/?{query}&X-Amz-Signature={secrets.token_hex(32)}"
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


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
    return ok(f"{way.host} answers {each}, {way}")


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
            f"juju run {way.site.leader} get-kubeconfig region=REGION"
        )
        return way.blocked(f"are told by {host} that there are too many requests", detail, remedy)
    if refusal.cause == Cause.CLOCK:
        remedy = way.site.on_machine("timedatectl set-ntp true")
        return way.blocked(f"or {host} disagree with this machine's clock", detail, remedy)
    if refusal.cause == Cause.ENDPOINT:
        return way.blocked(f"do not accept {host}", detail, again(way.site.leader))
    remedy = f"what the pods say: kubectl -n {NAMESPACE} logs -l {POD_LABEL}"
    return way.blocked(f"get an unexpected answer from {host}", detail, remedy)


def _unreached(way: Way, detail: str = "no answer in time") -> Outcome:
    return way.blocked(f"do not reach {way.host}", detail, _open(way, detail))


def _open(way: Way, detail: str) -> str:
    """Return how the pods come to STS; ``detail`` is how far Go's own libraries came."""
    application = way.site.owner.application
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
