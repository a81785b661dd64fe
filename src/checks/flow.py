# SPDX-License-Identifier: Apache-2.0

"""The steps in their order: what each needs of the others, and all of them in bounded time."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import times
from certificates.sans import COMMON_NAME
from checks.outcome import Outcome, State, failed, not_checked
from checks.probes import login, look, wire
from checks.probes.look import Seen, Site
from checks.probes.threads import at_once
from checks.steps import authenticator, certificate, kubernetes, mappings, webhook
from cluster import api
from cluster import version as server_version
from cluster.errors import errors_as_status
from errors import Unready, Waiting
from machine.webhook_file import PORT
from text import brief

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
    found = {WEBHOOK: _webhook(site)}
    late = kubernetes.unreachable(_LATE, site.names)
    answers = at_once({KUBERNETES: functools.partial(_kubernetes, site)}, deadline)
    found[KUBERNETES], client = answers.get(KUBERNETES, (late, None))
    if not client:
        why = not_checked("Kubernetes does not answer, see step 1")
        return {name: found.get(name) or why for name in STEPS}
    seen = at_once({"": functools.partial(_look, site, client)}, deadline).get("", late)
    if isinstance(seen, Outcome):
        return {name: found.get(name) or seen for name in STEPS}
    found[AUTHENTICATOR] = authenticator.verdict(seen.deployed, site.names)
    found[MAPPINGS] = _mappings(site, seen)
    steps: dict[str, Callable[[], Outcome]] = {
        CERTIFICATE: functools.partial(_certificate, site, seen),
        STS: functools.partial(login.way_to_aws, site, client, seen.deployed, deadline),
        END_TO_END: functools.partial(login.whole_way, site, client, seen.deployed, deadline),
    }
    found |= at_once(steps, deadline)
    return _in_order({name: found.get(name) or late for name in STEPS})


def _in_order(found: dict[str, Outcome]) -> dict[str, Outcome]:
    """Return the outcomes. While an earlier step fails, no login arrives, so that comes first."""
    last = found[END_TO_END]
    broken = [
        name for name in (AUTHENTICATOR, CERTIFICATE, WEBHOOK) if found[name].state == State.FAILED
    ]
    if last.state != State.FAILED or not broken:
        return found
    return {**found, END_TO_END: failed(last.seen, f"fix {broken[0]} first")}


def _kubernetes(site: Site) -> tuple[Outcome, api.Client | None]:
    try:
        with errors_as_status():
            client = api.connect(site.machine.admin_kubeconfig, SECONDS)
            version, server = server_version.read(client)
            return kubernetes.verdict(version, server, times.now(), site.names), client
    except Unready as problem:
        return kubernetes.unreachable(problem, site.names), None


def _look(site: Site, client: api.Client) -> Seen | Outcome:
    try:
        with errors_as_status():
            return look.at_cluster(client, site)
    except Unready as problem:
        return kubernetes.unreachable(problem, site.names)


def _webhook(site: Site) -> Outcome:
    try:
        return webhook.verdict(site.use(), look.api_server(site.machine), site.names)
    except Unready as problem:
        return not_checked(f"{problem}")


def _mappings(site: Site, seen: Seen) -> Outcome:
    if seen.mappings is None:
        return not_checked("the cluster has no CRD for mappings, see step 2")
    return mappings.verdict(seen.mappings, site.partition, times.now(), site.names)


def _certificate(site: Site, seen: Seen) -> Outcome:
    address = site.shared.address
    if not address:
        return not_checked("the leader has not published the Service's address yet")
    serves = seen.deployed.pods and not seen.deployed.service
    served = _served(address) if serves else None
    return certificate.verdict(
        seen.pair,
        site.shared.ca,
        address,
        served,
        site.names,
        former=seen.deployed.former,
    )


def _served(address: str) -> certificate.Served:
    try:
        leaf = wire.leaf(address, PORT, COMMON_NAME, login.ANSWER_SECONDS)
    except OSError as error:
        return certificate.Served(problem=brief(error))
    return certificate.Served(leaf)
