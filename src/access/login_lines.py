# SPDX-License-Identifier: Apache-2.0

"""The lines of the authenticator's log that are about a login. Pure.

The authenticator logs each login in JSON, so what a stranger sends stays inside the field that
quotes it. The libraries in it log text of other people's objects as it is, so a line counts only
if it has all that the authenticator gives to a login's line.

Source: aws-iam-authenticator v0.7.18 (``pkg/server``).
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec

from access import arn as arns

GRANTED, DENIED = "access granted", "access denied"
_ANSWER = "STS response"
_ACCESS_KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
_SESSION = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
# `check` sends a GET ahead of its login to a pod, as no API server does, and its login to the API
# server has a parameter that begins so: neither is somebody's.
_ANNOUNCED, _ANNOUNCED_FOR = "unexpected request method", timedelta(seconds=15)
PROBE = "aws-iam-check-"
_PROBE = re.compile(r'input token [^"]*query parameter "aws-iam-check-[0-9a-f]{16}"')
# How far the clocks of two machines may be apart.
_SKEW = timedelta(minutes=1)


class Line(msgspec.Struct, frozen=True):
    """A line on a login."""

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    level: Literal["info", "warning", "error"]
    path: Literal["/authenticate"]
    # Address and port of the API server that asked.
    client: Annotated[str, msgspec.Meta(min_length=1)]
    msg: str
    error: str = ""
    # Of a decision, the principal's canonical ARN; of what STS answered, its session's.
    arn: str = ""
    accesskeyid: str = ""
    session: str = ""

    @property
    def access_key_id(self) -> str:
        """Return the access key; empty where it is unknown, or is none."""
        return self.accesskeyid if _ACCESS_KEY_ID.fullmatch(self.accesskeyid) else ""

    @property
    def session_name(self) -> str:
        """Return the session of a role; empty where it is unknown, or AWS allows no such name."""
        return self.session if _SESSION.fullmatch(self.session) else ""


_DECODER = msgspec.json.Decoder(Line)


def decisions(
    lines: Iterable[str], begin: datetime, end: datetime
) -> Iterator[tuple[Line, Line | None]]:
    """Yield each decision between ``begin`` and ``end`` in ``lines``, with what STS answered.
    Those on made-up logins of the charm are left out.

    The lines of one pod follow each other in their order. Half lines, lines of another time, and
    whatever else is not the authenticator's, are skipped.
    """
    known: dict[tuple[str, str], deque[Line]] = defaultdict(deque)
    announced: dict[str, datetime] = {}
    for line in filter(None, map(decode, lines)):
        if not begin - _SKEW <= line.time <= end + _SKEW:
            continue
        if line.msg == _ANNOUNCED:
            announced[line.client] = line.time + _ANNOUNCED_FOR
        elif line.level == "error" or line.time <= announced.get(line.client, begin - 2 * _SKEW):
            continue
        elif line.msg == _ANSWER:
            known[line.client, arns.canonical_or_empty(line.arn)].append(line)
        elif line.msg in (DENIED, GRANTED) and not _PROBE.fullmatch(line.error):
            # One connection serves many logins at a time, so several of one role may be open.
            answers = known.get((line.client, line.arn.lower()))
            yield line, answers.popleft() if answers else None


def decode(line: str) -> Line | None:
    """Return a line on a login; None for any other line."""
    # JSON may begin with a space or a tab. The authenticator's does not, and a text of several
    # lines in a library's line does.
    if not line.startswith("{"):
        return None
    try:
        return _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
