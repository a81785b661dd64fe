# SPDX-License-Identifier: Apache-2.0

"""The log of the authenticator's pods.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

import httpx2
import msgspec

import times
from cluster import api, pods, references
from cluster.errors import ApiError
from text import brief

# How many lines the first request asks for. A stranger's token makes a line of 16 KB at most, so
# these fit into one answer.
LINES = 500
# How much one answer may hold. A kubelet cuts the newest lines off where an answer gets longer.
BYTES = 8 * 1024**2
# How much may be read of one pod. A kubelet keeps 10 MiB of a container's log by default, and the
# requests overlap.
MOST_BYTES = 48 * 1024**2
# How long a request for a log may take: it waits for the pod's node.
SECONDS = 3.0
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
    end: datetime  # When they were read.
    covers: bool  # Whether they are complete since ``since``.
    more: bool  # Whether a node may have more of that time, which it did not hand out now.


class _Line(NamedTuple):
    """A line, and when its node received it: as the node writes that, and as a time."""

    stamp: str
    at: datetime
    text: str


def read(client: api.Client, since: int, seconds: float = SECONDS, *of: str) -> Logs:
    """Return what the pods logged in the last ``since`` seconds, as far as their logs reach back.

    ``of`` names the pods to read, all of them by default. No part of an answer may take longer
    than ``seconds``. A pod may have just gone, or its node may not answer. Then only the other
    logs are returned, and they are not complete.
    """
    now = times.now()
    wanted = begin = now - timedelta(seconds=since)
    lines: list[str] = []
    unread: dict[str, str] = {}
    more = False
    for name in of or pods.names(pods.find(client)):
        if client.seconds_left < seconds:
            unread[name] = "the Kubernetes API takes too long"
            continue
        try:
            tail, is_broken_off = _tail(client, name, wanted, seconds)
        except ApiError as error:
            if error.code == 404:
                # The pod went after it was listed, and took its log along.
                begin = now
                continue
            unread[name] = f"{error.code} {brief(error)}"
        except httpx2.HTTPError as error:
            unread[name] = brief(error)
        else:
            more = more or is_broken_off
            begin = max(begin, tail[0].at if tail else now)
            lines += [line.text for line in tail if line.at >= wanted]
    covers = begin == wanted and not unread
    return Logs(lines, unread, wanted, begin, now, covers, more or bool(unread))


def _tail(
    client: api.Client, pod: str, wanted: datetime, seconds: float
) -> tuple[list[_Line], bool]:
    """Return the end of a pod's log: back to a line from before ``wanted`` if there is one.

    Return also whether the time or the node ended that before.

    A kubelet answers with the oldest of the lines that it is asked for, up to a size. So the
    newest lines are read first, by themselves, and older ones piece by piece.

    Raise `errors.ApiError` or `httpx2.HTTPError` if not even the newest lines could be read.
    """
    found: list[_Line] = []
    piece, left = LINES, MOST_BYTES
    while piece and left > 0:
        if client.seconds_left <= seconds:
            return found, True
        try:
            answer = client.log(
                pod,
                # Others may add a container of their own to every pod.
                container=references.NAME,
                namespace=references.NAMESPACE,
                lines=len(found) + piece,
                size=BYTES,
                seconds=seconds,
            )
        except (ApiError, httpx2.HTTPError):
            if found:
                return found, True
            raise
        left -= len(answer)
        is_cut = len(answer) >= BYTES
        lines = _lines(answer, is_cut=is_cut)
        older = _before(lines, found)
        if older is None or (is_cut and not found):
            # Newer lines are missing from the answer, because it was cut.
            piece = min(piece // 2, len(lines) * 3 // 4)
            continue
        found = older + found
        if not older or found[0].at < wanted:
            break
        piece *= 1 if is_cut else 2
    return found, False


def _before(lines: list[_Line], known: list[_Line]) -> list[_Line] | None:
    """Return those of ``lines`` that come before the ``known`` ones; None if others are between
    them."""
    if not known:
        return lines
    stamps = [line.stamp for line in lines]
    return lines[: stamps.index(known[0].stamp)] if known[0].stamp in stamps else None


def _lines(answer: bytes, *, is_cut: bool) -> list[_Line]:
    """Return the lines of an answer. The node writes the time in front of each line; what has none
    is the end of a line whose beginning was not asked for.
    """
    # Other functions split at characters, too, that JSON does not escape.
    texts = answer.decode(errors="replace").split("\n")
    return list(filter(None, map(_line, texts[:-1] if is_cut else texts)))


def _line(text: str) -> _Line | None:
    stamp, _, rest = text.partition(" ")
    try:
        return _Line(stamp, msgspec.convert(stamp, _TIME), rest)
    except msgspec.ValidationError:
        return None
