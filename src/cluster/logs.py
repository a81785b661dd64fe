# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The log of the authenticator's pods.

Call every function inside `api.errors_as_status`.
"""

from __future__ import annotations

import dataclasses

from cluster import api, manifests, pods
from errors import brief

# A busy pod logs two lines of 400 bytes for each login.
LINES = 4_000
BYTES = 8 * 1024**2
# How long a request for a log may take: it waits for the pod's node.
SECONDS = 3.0


@dataclasses.dataclass(frozen=True)
class Logs:
    """What the pods logged.

    Attributes:
        lines: The lines of all pods, one pod after the other, each in the order of its log.
        unread: Why a pod's log is missing, by the pod's name.
    """

    lines: list[str]
    unread: dict[str, str]


def read(client: api.Client, since: int, seconds: float = SECONDS, *of: str) -> Logs:
    """Return what the pods logged in the last ``since`` seconds: of each pod the newest `LINES`.

    ``of`` names the pods to read, all of them by default. No part of an answer may take longer
    than ``seconds``. A pod may have just gone, or its node may not answer. Then only the other
    logs are returned.
    """
    import httpx2

    lines: list[str] = []
    unread: dict[str, str] = {}
    for name in of or pods.names(pods.find(client)):
        if client.seconds_left < seconds:
            unread[name] = "the Kubernetes API takes too long"
            continue
        try:
            lines += _log(client, name, since, seconds).split("\n")
        except httpx2.HTTPStatusError as error:
            unread[name] = f"{error.response.status_code} {error.response.reason_phrase}"
        except httpx2.HTTPError as error:
            unread[name] = brief(error)
    return Logs(lines, unread)


def _log(client: api.Client, pod: str, since: int, seconds: float) -> str:
    return client.log(
        pod,
        # Others may add a container of their own to every pod.
        container=manifests.NAME,
        namespace=manifests.NAMESPACE,
        since=since,
        lines=LINES,
        size=BYTES,
        seconds=seconds,
    )
