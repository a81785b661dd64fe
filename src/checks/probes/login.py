# SPDX-License-Identifier: Apache-2.0

"""Steps 5 and 6: a made-up login at each pod, and one at the API server."""

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
from collections.abc import Iterable, Sequence

import times
from access import partitions, refusals
from checks.outcome import Outcome, not_checked
from checks.probes import counters, made_up, wire
from checks.probes.counters import Counters
from checks.probes.look import Site
from checks.probes.threads import at_once
from checks.steps import end_to_end, sts
from checks.steps.authenticator import Deployed
from cluster import api, pod_logs
from cluster.errors import errors_as_status
from cluster.pods import Serving
from errors import Unready
from text import brief

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


def way_to_aws(site: Site, client: api.Client, deployed: Deployed, deadline: float) -> Outcome:
    """Log in at each pod, and return how far that came on the way to STS."""
    if not deployed.pods or not site.shared.cluster_id:
        return not_checked(_NOBODY)
    before = _counters(deployed.pods, deadline)
    host, region = partitions.sts(site.partition, site.region or _usual_region(before.values()))
    token = made_up.token(site.shared.cluster_id, host, region, times.now())
    tasks = {
        pod.name: functools.partial(_attempt, client, pod, token, before[pod.name], deadline)
        for pod in deployed.pods
    }
    found = at_once(tasks, deadline)
    attempts = [found.get(pod.name) or sts.Attempt(pod.name) for pod in deployed.pods]
    return sts.verdict(attempts, host, uses_proxy=deployed.uses_proxy, names=site.names)


def _counters(serving: Sequence[Serving], deadline: float) -> dict[str, Counters | None]:
    """Return what each pod counted so far; None for a pod that does not answer."""
    tasks = {pod.name: functools.partial(_count, pod) for pod in serving}
    found = at_once(tasks, deadline)
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
        lines = pod_logs.read(client, RECENT, LOG_SECONDS / 2, pod.name).lines
        found = refusals.of_client(lines, address)
        if found or time.monotonic() > until:
            return found
        time.sleep(POLL_SECONDS)


def whole_way(site: Site, client: api.Client, deployed: Deployed, deadline: float) -> Outcome:
    """Log in at the API server, and return whether that came to a pod."""
    if not deployed.pods or not site.shared.cluster_id:
        return not_checked(_NOBODY)
    # The authenticator quotes it, so no other login is taken for this one; and it asks no STS.
    marker = f"aws-iam-check-{secrets.token_hex(8)}"
    host, region = partitions.sts(site.partition, "")
    token = made_up.token(site.shared.cluster_id, host, region, times.now(), marker)
    asked = _Asked(client, token)
    until, unread = deadline - LOG_SECONDS, ""
    while (began := time.monotonic()) < until:
        log = pod_logs.read(client, RECENT, LOG_SECONDS, *deployed.logging)
        unread = next(iter(log.unread.values()), "")
        if refusals.quotes(log.lines, marker):
            found = dataclasses.replace(asked.answer, arrived=True)
            return end_to_end.verdict(found, site.names)
        # A look that began earlier may have been too early for what is in the log by now; and a
        # log that could not be read may have it.
        if began >= asked.over + SETTLED_SECONDS and not unread:
            break
        time.sleep(POLL_SECONDS)
    return end_to_end.verdict(dataclasses.replace(asked.answer, unread=unread), site.names)


class _Asked:
    """A token review that is under way. Of the original control plane, the answer takes long."""

    def __init__(self, client: api.Client, token: str):
        self.answer = end_to_end.Review()
        self.over = math.inf
        threading.Thread(target=self._ask, args=(client, token), daemon=True).start()

    def _ask(self, client: api.Client, token: str) -> None:
        from lightkube.models.authentication_v1 import TokenReviewSpec
        from lightkube.resources.authentication_v1 import TokenReview

        try:
            with errors_as_status():
                status = client.ask(TokenReview(spec=TokenReviewSpec(token=token))).status
            error = brief(refusals.redacted((status and status.error) or ""))
            let_in = bool(status and status.authenticated)
            self.answer = end_to_end.Review(answered=True, authenticated=let_in, error=error)
        except Unready as problem:
            self.answer = end_to_end.Review(error=f"{problem}")
        self.over = time.monotonic()
