# SPDX-License-Identifier: Apache-2.0

"""The log of the authenticator's pods, and the roles of permission sets, of which it tells.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import httpx2
import msgspec

import times
from cluster import api, pods, references
from cluster.errors import ApiError
from text import brief

if TYPE_CHECKING:
    from access.declaration.declared import Declared
    from access.mapping import IdentityMapping
    from access.permission_sets import PermissionSet

# How many of a pod's newest lines are read. Most have 300 bytes, and a stranger's token makes one
# of 16 KB. A limit in bytes would cut off the newest: a kubelet answers with the oldest of them.
LINES = 5_000
# How long a request for a log may take: it waits for the pod's node.
SECONDS = 3.0
# How far back a look for roles reads: somebody may have been refused before the permission set was
# declared, and the hooks of an idle unit may be an hour apart.
ROLE_SECONDS = 3600
_TIME = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclasses.dataclass(frozen=True)
class Logs:
    """What the pods logged."""

    # The lines of all pods, one pod after the other, each in the order of its log.
    lines: list[str]
    # Why a pod's log is missing, by the pod's name. A pod that has gone is not here.
    unread: dict[str, str]
    since: datetime  # The time that was asked for.
    # Since when the lines are complete: later than ``since`` if a log does not reach back so far.
    begin: datetime

    @property
    def covers(self) -> bool:
        """Return whether the lines are complete since the time that was asked for."""
        return self.begin == self.since and not self.unread


def read(client: api.Client, since: int, seconds: float = SECONDS, *of: str) -> Logs:
    """Return what the pods logged in the last ``since`` seconds, as far as their logs reach back.

    ``of`` names the pods to read, all of them by default. No part of an answer may take longer
    than ``seconds``. A pod may have just gone, or its node may not answer. Then only the other
    logs are returned, and they are not complete.
    """
    now = times.now()
    wanted = begin = now - timedelta(seconds=since)
    lines, unread = list[str](), dict[str, str]()
    for name in of or pods.names(pods.find(client)):
        if client.seconds_left < seconds:
            unread[name] = "the Kubernetes API takes too long"
            continue
        try:
            answer = client.log(
                name,
                # Others may add a container of their own to every pod.
                container=references.NAME,
                namespace=references.NAMESPACE,
                lines=LINES,
                seconds=seconds,
            )
        except ApiError as error:
            if error.code == 404:
                # The pod went after it was listed, and took its log along.
                begin = now
            else:
                unread[name] = f"{error.code} {brief(error)}"
            continue
        except httpx2.HTTPError as error:
            unread[name] = brief(error)
            continue
        # Other functions split at characters, too, that JSON does not escape.
        found = [*filter(None, map(_stamped, answer.decode(errors="replace").split("\n")))]
        # A log may begin later: its pod is young, a kubelet keeps 10 MiB of it, or it was cut.
        begin = max(begin, found[0][0] if found else now)
        lines += [text for at, text in found if at >= wanted]
    return Logs(lines, unread, wanted, begin)


def _stamped(line: str) -> tuple[datetime, str] | None:
    """Return when the node received a line, which the node writes in front of it, and the line.

    Return None for the end of a line whose beginning was not asked for: it has no time.
    """
    stamp, _, text = line.partition(" ")
    try:
        return msgspec.convert(stamp, _TIME), text
    except msgspec.ValidationError:
        return None


def set_roles(
    client: api.Client, declared: Declared, found: Sequence[IdentityMapping]
) -> dict[PermissionSet, str]:
    """Return the ARN of each declared permission set's role, if nobody gave its suffix and it is
    known.

    Only mappings and logins tell. The log is read if such a set has no mapping yet, and only then:
    it costs one request for each pod. Nothing keeps the time of the last look, so looks overlap.
    """
    sets = [each.permission_set for each in declared.entries if each.learns]
    wanted = [each for each in sets if each]
    if not wanted:
        return {}
    from access import permission_sets, refusals

    known = permission_sets.learn(wanted, (), found, declared.partition)
    if known.keys() >= {*wanted}:
        return known
    confirmed = refusals.confirmed(read(client, ROLE_SECONDS).lines)
    return permission_sets.learn(wanted, confirmed, found, declared.partition)
