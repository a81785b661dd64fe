# SPDX-License-Identifier: Apache-2.0

"""The steps in their order: what each needs of the others, and all of them in bounded time."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from access.mapping import IdentityMapping
from certificates.keypair import KeyPair
from checks import (
    authenticator,
    certificate,
    end_to_end,
    kubernetes,
    mappings,
    sts,
    webhook,
)
from checks.authenticator import Deployed
from checks.outcome import Outcome, Site, State, failed, not_checked
from checks.threads import at_once
from cluster import api, contents, state
from cluster.errors import errors_as_status
from errors import Unready, Waiting

# The steps, in the order of a login.
KUBERNETES, AUTHENTICATOR, CERTIFICATE, WEBHOOK, STS, END_TO_END, MAPPINGS = STEPS = (
    "1-kubernetes",
    "2-authenticator",
    "3-certificate",
    "4-webhook",
    "5-sts",
    "6-end-to-end",
    "7-mappings",
)
# How long all of it may take. The authenticator itself waits for STS for 10 seconds.
SECONDS = 12.5
_LATE = Waiting("the Kubernetes API does not answer in time")


def run(site: Site) -> dict[str, Outcome]:
    """Run all steps and return their outcomes, by their names and in their order."""
    deadline = time.monotonic() + SECONDS
    # Hook tools and files: neither waits for anybody.
    found = {WEBHOOK: webhook.check(site)}
    late = kubernetes.unreachable(_LATE, site.names)
    answers = at_once({KUBERNETES: lambda: kubernetes.check(site, SECONDS)}, deadline)
    found[KUBERNETES], client = answers.get(KUBERNETES, (late, None))
    if not client:
        why = not_checked("Kubernetes does not answer, see step 1")
        return {name: found.get(name) or why for name in STEPS}
    seen = at_once({"": functools.partial(_look, site, client)}, deadline).get("", late)
    if isinstance(seen, Outcome):
        return {name: found.get(name) or seen for name in STEPS}
    deployed, pair, mapped = seen
    found[AUTHENTICATOR] = authenticator.verdict(deployed, site.names)
    found[MAPPINGS] = mappings.check(site, mapped)
    steps: dict[str, Callable[[], Outcome]] = {
        CERTIFICATE: lambda: certificate.check(site, pair, deployed),
        STS: lambda: sts.check(site, client, deployed, deadline),
        END_TO_END: lambda: end_to_end.check(site, client, deployed, deadline),
    }
    found |= at_once(steps, deadline)
    return _in_order({name: found.get(name) or late for name in STEPS})


def _look(
    site: Site, client: api.Client
) -> tuple[Deployed, KeyPair | None, list[IdentityMapping] | None] | Outcome:
    """Return what the cluster has: of the authenticator, the pair in its Secret, and the mappings,
    which are None if it does not serve their CRD."""
    try:
        with errors_as_status():
            pair = contents.stored(client).pair
            deployed = authenticator.look(client, site, pair)
            return deployed, pair, state.mappings(client) if deployed.crd else None
    except Unready as problem:
        return kubernetes.unreachable(problem, site.names)


def _in_order(found: dict[str, Outcome]) -> dict[str, Outcome]:
    """Return the outcomes. While an earlier step fails, no login arrives, so that comes first."""
    last = found[END_TO_END]
    broken = [
        name for name in (AUTHENTICATOR, CERTIFICATE, WEBHOOK) if found[name].state == State.FAILED
    ]
    if last.state != State.FAILED or not broken:
        return found
    return {**found, END_TO_END: failed(last.seen, f"fix {broken[0]} first")}
