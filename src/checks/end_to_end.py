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
from access import refusals
from checks import Outcome, Site, again, failed, not_checked, ok
from checks.pods import NOBODY, Deployed
from checks.sts import LOG_SECONDS, POLL_SECONDS, RECENT, nobodys_token
from cluster import api, pod_logs
from cluster.errors import errors_as_status
from errors import Unready
from text import brief, quoted

# How long a login may take to show in a log, once the API server has answered.
SETTLED_SECONDS = 1.5


@dataclasses.dataclass
class Review:
    """What the API server says of a token that it does not know, and the authenticator refuses.

    Of the original control plane, the answer takes long.
    """

    said: str = "the API server does not answer in time"
    authenticated: bool = False  # Whether the API server let the token in.
    over: float = math.inf  # When it had answered.

    def ask(self, client: api.Client, token: str) -> None:
        """Ask the API server."""
        try:
            with errors_as_status():
                status = client.ask(TokenReview, {"token": token})
            error = brief(refusals.redacted(status.get("error", "")))
            self.said = f"the API server answers{f': {quoted(error)}' if error else ''}"
            self.authenticated = status.get("authenticated", False)
        except Unready as problem:
            self.said = f"the API server does not answer in time: {quoted(f'{problem}')}"
        self.over = time.monotonic()


def check(site: Site, client: api.Client, deployed: Deployed, deadline: float) -> Outcome:
    """Log in at the API server, and return whether that came to a pod by the ``deadline``."""
    if not deployed.pods or not site.shared.cluster_id:
        return not_checked(NOBODY)
    # The authenticator quotes it, so no other login is taken for this one; and it asks no STS.
    marker = f"{refusals.PROBE}{secrets.token_hex(8)}"
    token = nobodys_token(site.region, times.now(), marker)
    review, arrived, unread = Review(), False, ""
    threading.Thread(target=review.ask, args=(client, token), daemon=True).start()
    while not arrived and (began := time.monotonic()) < deadline - LOG_SECONDS:
        log = pod_logs.read(client, RECENT, LOG_SECONDS, *deployed.logging)
        unread = next(iter(log.unread.values()), "")
        arrived = refusals.quotes(log.lines, marker)
        # A look that began earlier may have been too early for what is in the log by now; and a
        # log that could not be read may have it.
        if began >= review.over + SETTLED_SECONDS and not unread:
            break
        time.sleep(POLL_SECONDS)
    return verdict(review, site, arrived=arrived, unread=unread)


def verdict(review: Review, site: Site, *, arrived: bool, unread: str) -> Outcome:
    """Return whether the API server asks the authenticator, and refuses what that refuses.

    ``arrived`` says whether the log of a pod has the refusal, and ``unread`` why one could not be
    read.
    """
    if review.authenticated:
        return failed(
            "the API server lets a made-up token in, so something else authenticates it",
            "see which webhook does: "
            f"juju config {site.control_plane} authn-webhook-endpoint, and api-extra-args",
        )
    if arrived:
        return ok("the API server asks the pods, and a pod refused a made-up login")
    if unread:
        return failed(
            f"no pod shows the login, but not all logs could be read: {quoted(unread)}",
            "see why a node does not answer: kubectl get nodes",
        )
    return failed(
        f"the made-up login did not arrive at any pod; {review.said}",
        again(site.leader, site.principal),
    )
