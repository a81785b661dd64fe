# SPDX-License-Identifier: Apache-2.0

"""Step 5: a login goes the whole way, from the API server to the pods."""

from __future__ import annotations

import dataclasses
import math
import secrets
import threading
import time

from lightkube.resources.authentication_v1 import TokenReview

import times
from access import login_lines, partitions, refusals
from checks import Names, Outcome, Site, failed, not_checked, ok, probe_token
from checks.pods import NOBODY, Deployed
from cluster import answers, api, pod_logs
from cluster.errors import errors_as_status
from errors import Unready
from text import brief, quoted

# What is kept of the time for the logs, once a pod has answered or has not.
LOG_SECONDS = 1.2
# How far back the logs are read, and how often until they have what was sent.
RECENT = 60
POLL_SECONDS = 0.2
# How long a login may take to show in a log, once the API server has answered.
SETTLED_SECONDS = 1.5


@dataclasses.dataclass(frozen=True)
class Review:
    """What came of a token that no API server knows, and the authenticator refuses."""

    arrived: bool = False  # Whether the log of a pod has its refusal, in time.
    answered: bool = False  # Whether the API server answered in time.
    authenticated: bool = False  # Whether the API server let the token in.
    error: str = ""  # What the API server says of the refusal, without the token.
    unread: str = ""  # Why a pod's log could not be read; empty if all were.


def verdict(review: Review, names: Names) -> Outcome:
    """Return whether the API server asks the authenticator, and refuses what that refuses."""
    if review.authenticated:
        return failed(
            "the API server lets a made-up token in, so something else authenticates it",
            "see which webhook does: "
            f"juju config {names.control_plane} authn-webhook-endpoint, and api-extra-args",
        )
    if review.arrived:
        return ok("the API server asks the pods, and a pod refused a made-up login")
    if review.unread:
        return failed(
            f"no pod shows the login, but not all logs could be read: {quoted(review.unread)}",
            "see why a node does not answer: kubectl get nodes",
        )
    said = f": {quoted(review.error)}" if review.error else ""
    how = "the API server answers" if review.answered else "the API server does not answer in time"
    return failed(
        f"the made-up login did not arrive at any pod; {how}{said}",
        names.reconcile_all,
    )


def check(site: Site, client: api.Client, deployed: Deployed, deadline: float) -> Outcome:
    """Log in at the API server, and return whether that came to a pod by the ``deadline``."""
    if not deployed.pods or not site.shared.cluster_id:
        return not_checked(NOBODY)
    # The authenticator quotes it, so no other login is taken for this one; and it asks no STS.
    marker = f"{login_lines.PROBE}{secrets.token_hex(8)}"
    host, region = partitions.sts(site.partition, "")
    token = probe_token.token(site.shared.cluster_id, host, region, times.now(), marker)
    asked = _Asked(client, token)
    until, unread = deadline - LOG_SECONDS, ""
    while (began := time.monotonic()) < until:
        log = pod_logs.read(client, RECENT, LOG_SECONDS, *deployed.logging)
        unread = next(iter(log.unread.values()), "")
        if refusals.quotes(log.lines, marker):
            found = dataclasses.replace(asked.answer, arrived=True)
            return verdict(found, site.names)
        # A look that began earlier may have been too early for what is in the log by now; and a
        # log that could not be read may have it.
        if began >= asked.over + SETTLED_SECONDS and not unread:
            break
        time.sleep(POLL_SECONDS)
    return verdict(dataclasses.replace(asked.answer, unread=unread), site.names)


class _Asked:
    """A token review that is under way. Of the original control plane, the answer takes long."""

    def __init__(self, client: api.Client, token: str):
        self.answer = Review()
        self.over = math.inf
        threading.Thread(target=self._ask, args=(client, token), daemon=True).start()

    def _ask(self, client: api.Client, token: str) -> None:
        try:
            with errors_as_status():
                spec = {"token": token}
                status = client.ask(TokenReview, spec, answers.TokenReview).status
            error = brief(refusals.redacted(status.error))
            self.answer = Review(answered=True, authenticated=status.authenticated, error=error)
        except Unready as problem:
            self.answer = Review(error=f"{problem}")
        self.over = time.monotonic()
