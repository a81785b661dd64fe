"""The steps in their order: what each needs of the others, and all of them in bounded time."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.client
import math
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import clock
from access import partitions, refusals
from certificates.sans import COMMON_NAME
from checks import (
    Names,
    Outcome,
    authenticator,
    certificate,
    counters,
    kubernetes,
    look,
    made_up,
    not_checked,
    people,
    review,
    sts,
    webhook,
    wire,
)
from checks.counters import Counters
from cluster import api, identity_mappings, logs, manifests, objects, pods
from cluster.pods import Serving
from control_plane import Use
from errors import Unready, Waiting, brief
from files import Machine
from kubeconfigs import PORT
from owner import Owner
from peers import Shared

T = TypeVar("T")

# The steps, in the order of a login.
KUBERNETES, AUTHENTICATOR, CERTIFICATE, WEBHOOK, WAY_TO_AWS, WHOLE_WAY, MAPPINGS = STEPS = (
    "1-kubernetes",
    "2-authenticator",
    "3-certificate",
    "4-webhook",
    "5-way-to-aws",
    "6-whole-way",
    "7-mappings",
)
# How long all of it may take. The authenticator itself waits for STS for 10 seconds.
SECONDS = 12.5
# How long the Service and the pods may take to answer this machine.
ANSWER_SECONDS = 3.0
# What is kept of the time for the logs, once a pod has answered or has not.
LOG_SECONDS = 1.2
# How far back the logs are read, and how often until they have what was sent.
RECENT = 60
POLL_SECONDS = 0.2
# How long a login may take to show in a log, once the API server has answered.
SETTLED_SECONDS = 1.5
_NOBODY = "no pod is ready, see step 2"


@dataclasses.dataclass(frozen=True)
class Site:
    """What the steps start from.

    Attributes:
        machine: This unit's machine.
        owner: This application.
        shared: What the leader published.
        partition: The option `partition`.
        region: The region whose STS is asked; empty for the one that most people use.
        use: Returns how far the control plane uses the webhook.
        names: What the remedies call applications and units.
    """

    machine: Machine
    owner: Owner
    shared: Shared
    partition: str
    region: str
    use: Callable[[], Use]
    names: Names


def run(site: Site) -> dict[str, Outcome]:
    """Run all steps and return their outcomes, by their names and in their order."""
    deadline = time.monotonic() + SECONDS
    # Hook tools, and files: neither waits for anybody.
    own = {WEBHOOK: _webhook(site)}
    answers = _at_once({KUBERNETES: functools.partial(_kubernetes, site)}, deadline)
    own[KUBERNETES], client = answers.get(KUBERNETES, (_late(site), None))
    steps = {
        AUTHENTICATOR: _authenticator,
        CERTIFICATE: _certificate,
        WAY_TO_AWS: _way_to_aws,
        WHOLE_WAY: _whole_way,
        MAPPINGS: _mappings,
    }
    if not client:
        rest = {name: not_checked("Kubernetes does not answer, see step 1") for name in steps}
        return {name: {**own, **rest}[name] for name in STEPS}
    tasks = {
        name: functools.partial(_caught, step, site, client, deadline)
        for name, step in steps.items()
    }
    found = {**own, **_at_once(tasks, deadline)}
    return {name: found.get(name) or _late(site) for name in STEPS}


def _at_once(tasks: Mapping[str, Callable[[], T]], deadline: float) -> dict[str, T]:
    """Run ``tasks`` at once, and return the results of those that end by the ``deadline``.

    Daemon threads do not keep the process alive, so what hangs is left behind.
    """
    results: dict[str, T] = {}

    def keep(name: str, task: Callable[[], T]) -> None:
        results[name] = task()

    threads = [threading.Thread(target=keep, args=item, daemon=True) for item in tasks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(results)


def _late(site: Site) -> Outcome:
    return kubernetes.unreachable(
        Waiting("the Kubernetes API does not answer in time"), site.names
    )


def _caught(
    step: Callable[[Site, api.Client, float], Outcome],
    site: Site,
    client: api.Client,
    deadline: float,
) -> Outcome:
    """Return the outcome of a step, also if the Kubernetes API does not answer as it should."""
    try:
        with api.errors_as_status():
            return step(site, client, deadline)
    except Unready as problem:
        return kubernetes.unreachable(problem, site.names)


def _webhook(site: Site) -> Outcome:
    try:
        return webhook.verdict(site.use(), look.api_server(site.machine), site.names)
    except Unready as problem:
        return not_checked(f"{problem}")


def _kubernetes(site: Site) -> tuple[Outcome, api.Client | None]:
    try:
        with api.errors_as_status():
            client = api.connect(site.machine.admin_kubeconfig, SECONDS)
            version, server = client.version()
            return kubernetes.verdict(version, server, clock.now(), site.names), client
    except Unready as problem:
        return kubernetes.unreachable(problem, site.names), None


def _authenticator(site: Site, client: api.Client, _: float) -> Outcome:
    found = look.deployed(client, site.owner, site.shared.address)
    return authenticator.verdict(found, site.names)


def _certificate(site: Site, client: api.Client, _: float) -> Outcome:
    address = site.shared.address
    if not address:
        return not_checked("the leader has not published the Service's address yet")
    pair = objects.stored(client).pair
    served = _served(address) if pods.serving(client) else None
    return certificate.verdict(pair, site.shared.ca, address, served, site.names)


def _served(address: str) -> certificate.Served:
    try:
        return certificate.Served(wire.leaf(address, PORT, COMMON_NAME, ANSWER_SECONDS))
    except OSError as error:
        return certificate.Served(problem=brief(error))


def _mappings(site: Site, client: api.Client, _: float) -> Outcome:
    if not identity_mappings.is_served(client):
        return not_checked("the cluster has no CRD for mappings, see step 2")
    found = identity_mappings.find(client)
    return people.verdict(found, site.partition, clock.now(), site.names)


def _way_to_aws(site: Site, client: api.Client, deadline: float) -> Outcome:
    serving = pods.serving(client)
    if not serving or not site.shared.cluster_id:
        return not_checked(_NOBODY)
    uses_proxy = look.uses_proxy(objects.find(client, manifests.DEPLOYMENT))
    before = _counters(serving, deadline)
    host, region = partitions.sts(site.partition, site.region or _usual_region(before.values()))
    token = made_up.token(site.shared.cluster_id, host, region, clock.now())
    tasks = {
        pod.name: functools.partial(_attempt, client, pod, token, before[pod.name], deadline)
        for pod in serving
    }
    found = _at_once(tasks, deadline)
    attempts = [found.get(pod.name) or sts.Attempt(pod.name) for pod in serving]
    return sts.verdict(attempts, host, uses_proxy=uses_proxy, names=site.names)


def _counters(serving: Sequence[Serving], deadline: float) -> dict[str, Counters | None]:
    """Return what each pod counted so far; None for a pod that does not answer."""
    tasks = {pod.name: functools.partial(_count, pod) for pod in serving}
    found = _at_once(tasks, deadline)
    return {pod.name: found.get(pod.name) for pod in serving}


def _count(pod: Serving) -> Counters | None:
    try:
        with contextlib.closing(wire.Pod(pod.address, ANSWER_SECONDS)) as connection:
            return counters.parse(connection.metrics())
    except (OSError, http.client.HTTPException):
        return None


def _usual_region(counted: Iterable[Counters | None]) -> str:
    """Return the region whose STS let most people in; empty for the global one, or for none."""
    regions = sum((each.regions for each in counted if each), Counter[str]())
    found = max(regions, key=lambda region: regions[region], default="")
    return "" if found == counters.GLOBAL else found


def _attempt(
    client: api.Client, pod: Serving, token: str, before: Counters | None, deadline: float
) -> sts.Attempt:
    """Log in at one pod, and look at what it made of that."""
    try:
        connection = wire.Pod(pod.address, ANSWER_SECONDS)
    except OSError as error:
        return sts.Attempt(pod.name, problem=brief(error))
    ends = deadline - LOG_SECONDS
    connection.wait(ends - time.monotonic())
    try:
        status = connection.log_in(token)
    except TimeoutError:
        status = 0
    except (OSError, http.client.HTTPException) as error:
        return sts.Attempt(pod.name, problem=brief(error))
    refusal = _logged(client, pod, connection.client) if status else None
    connection.close()
    after = _count(pod)
    counted = after.since(before) if after and before else Counters()
    return sts.Attempt(pod.name, status=status, refusal=refusal, counted=counted)


def _logged(client: api.Client, pod: Serving, address: str) -> refusals.Refusal | None:
    """Return the refusal of the login from ``address``, once the pod's log has it."""
    until = time.monotonic() + LOG_SECONDS / 2
    while True:
        lines = logs.read(client, RECENT, LOG_SECONDS / 2, pod.name).lines
        found = refusals.of_client(lines, address)
        if found or time.monotonic() > until:
            return found
        time.sleep(POLL_SECONDS)


def _whole_way(site: Site, client: api.Client, deadline: float) -> Outcome:
    serving = pods.serving(client)
    if not serving or not site.shared.cluster_id:
        return not_checked(_NOBODY)
    # The authenticator quotes it, so no other login is taken for this one; and it asks no STS.
    marker = f"aws-iam-check-{secrets.token_hex(8)}"
    host, region = partitions.sts(site.partition, "")
    token = made_up.token(site.shared.cluster_id, host, region, clock.now(), marker)
    asked = _Asked(client, token)
    until, unread = deadline - LOG_SECONDS, ""
    while time.monotonic() < min(until, asked.over + SETTLED_SECONDS):
        for pod in serving:
            log = logs.read(client, RECENT, LOG_SECONDS, pod.name)
            unread = next(iter(log.unread.values()), "")
            if refusals.quotes(log.lines, marker):
                found = dataclasses.replace(asked.answer, arrived=pod.name)
                return review.verdict(found, site.names)
        time.sleep(POLL_SECONDS)
    found = dataclasses.replace(asked.answer, unread=unread)
    return review.verdict(found, site.names)


class _Asked:
    """A token review that is under way. Of the original control plane, the answer takes long."""

    def __init__(self, client: api.Client, token: str):
        self.answer = review.Review()
        self.over = math.inf
        threading.Thread(target=self._ask, args=(client, token), daemon=True).start()

    def _ask(self, client: api.Client, token: str) -> None:
        from lightkube.models.authentication_v1 import TokenReviewSpec
        from lightkube.resources.authentication_v1 import TokenReview

        try:
            with api.errors_as_status():
                status = client.ask(TokenReview(spec=TokenReviewSpec(token=token))).status
            error = brief(refusals.redacted((status and status.error) or ""))
            let_in = bool(status and status.authenticated)
            self.answer = review.Review(answered=True, authenticated=let_in, error=error)
        except Unready as problem:
            self.answer = review.Review(error=f"{problem}")
        self.over = time.monotonic()
