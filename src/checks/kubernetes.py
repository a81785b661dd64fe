# SPDX-License-Identifier: Apache-2.0

"""Step 1: Kubernetes answers from this machine, and their clocks agree."""

from __future__ import annotations

import datetime
import email.utils

import times
from checks import Outcome, Site, again, failed, ok
from cluster import api
from cluster.errors import errors_as_status
from errors import Blocked, Unready, WaitingForKubeconfig
from text import word

# A server says its time in whole seconds, and its answer takes a moment. From here on somebody
# should look: STS refuses tokens of five minutes ahead, and of a quarter of an hour behind.
MOST_SECONDS = 60.0


def check(site: Site, seconds: float) -> tuple[Outcome, api.Client | None]:
    """Return what came of the step, and a client whose requests end in ``seconds``; None where
    Kubernetes does not answer."""
    try:
        with errors_as_status():
            client = api.connect(site.machine.admin_kubeconfig, seconds)
            answer = client.get_raw("/version")
            version = api.decoded(answer)["gitVersion"]
            server = _time_of(answer.headers.get("Date", ""))
            return verdict(version, server, times.now(), site), client
    except Unready as problem:
        return unreachable(problem, site), None


def _time_of(header: str) -> datetime.datetime | None:
    """Return the server's time, in whole seconds; None if it does not say it."""
    try:
        return email.utils.parsedate_to_datetime(header).astimezone(datetime.timezone.utc)
    except (OverflowError, TypeError, ValueError):
        return None


def verdict(
    version: str, server: datetime.datetime | None, here: datetime.datetime, site: Site
) -> Outcome:
    """Return whether the clocks agree: the API server's and this machine's, when it answered."""
    version = word(version)
    if not server:
        return ok(f"{version} answers from this machine; it does not say its time")
    # The server's time is the start of the second that it is in.
    ahead = (here - server).total_seconds()
    seconds = 0.0 if 0.0 <= ahead < 1.0 else ahead
    if abs(seconds) < MOST_SECONDS:
        return ok(
            f"{version} answers from this machine; the clocks differ by {abs(seconds):.0f} s"
        )
    how = "ahead of" if seconds > 0 else "behind"
    return failed(
        f"{version} answers, and this machine's clock is {abs(seconds):.0f} s {how} the API "
        "server's: STS refuses tokens when clocks differ",
        site.on_machine("timedatectl set-ntp true"),
    )


def unreachable(problem: Unready, site: Site) -> Outcome:
    """Return the outcome if Kubernetes does not answer as it should."""
    if isinstance(problem, Blocked | WaitingForKubeconfig):
        return failed(f"{problem}", again(site.principal))
    return failed(f"{problem}", site.on_machine("systemctl start snap.kube-apiserver.daemon"))
