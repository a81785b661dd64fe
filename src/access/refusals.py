# SPDX-License-Identifier: Apache-2.0

"""Who was refused, and why, by the log of the authenticator. Pure.

The authenticator logs each login in JSON, so what a stranger sends stays inside the field that
quotes it. The libraries in it log text of other people's objects as it is, so a line counts only
if it has all that the authenticator gives to a login's line.

The charm says in its own words what has a remedy of its own. Of anything else it quotes the
authenticator, without the words that may be secret.

A stranger chooses how long the words of a line are, so nothing here takes more than a time in
proportion to the line.

Source: aws-iam-authenticator v0.7.18 (``pkg/server``, ``pkg/token``, ``pkg/errutil``).
"""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec

from access import arn as arns
from text import quoted

_GRANTED, _DENIED = "access granted", "access denied"
_ANSWER = "STS response"
_ACCESS_KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
_SESSION = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
# `check` sends a GET ahead of its login to a pod, as no API server does, and its login to the API
# server has a parameter that begins so: neither is somebody's.
_ANNOUNCED, _ANNOUNCED_FOR = "unexpected request method", timedelta(seconds=15)
PROBE = "aws-iam-check-"
_PROBE = re.compile(r'input token [^"]*query parameter "aws-iam-check-[0-9a-f]{16}"')


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
    def is_denial(self) -> bool:
        """Return whether the authenticator says why it refused a login."""
        return self.level == "warning" and self.msg == _DENIED and bool(self.error)


_DECODER = msgspec.json.Decoder(Line)


class Cause(enum.Enum):
    """Why a login was refused. The value is what people read: a heading, and what helps."""

    NOT_MAPPED = "not mapped: AWS confirms this identity, and no mapping has its ARN"
    # STS gives one answer for both, and the cluster id is part of what a token signs.
    SIGNATURE = (
        "bad signature or wrong cluster id: "
        "the secret key is wrong, or the kubeconfig is for another cluster id"
    )
    CLOCK = (
        "clock skew: "
        "the token is older than 15 minutes, or from the future: compare the person's clock"
    )
    ACCESS_KEY = (
        "unknown access key: "
        "AWS does not know the access key: deleted, inactive, or of another partition"
    )
    EXPIRED = "expired credentials: the temporary AWS credentials have expired: get new ones"
    TOO_LARGE = (
        "token too large: aws-iam-authenticator takes 4,096 characters: use fewer or shorter "
        "session tags and policies, a role assumed directly, or long-term keys of a user"
    )
    THROTTLED = "throttled: STS gets too many requests from these credentials or this network"
    ENDPOINT = "wrong endpoint: the token is for an STS that the option partition does not accept"
    UNREACHABLE = "STS out of reach: the pods get no answer from STS"
    OTHER = "other: the authenticator says"


_FORMAT = "input token was not properly formatted: "
_STS = "sts getCallerIdentity failed: "
_GET = "error during GET: "
# How the authenticator's errors begin. A stranger chooses what follows, so no more is compared.
_BEGINNINGS = {
    "identity is not mapped": Cause.NOT_MAPPED,
    "ARN is not mapped": Cause.NOT_MAPPED,
    f"{_FORMAT}X-Amz-Date parameter is expired": Cause.CLOCK,
    f"{_FORMAT}token is too large": Cause.TOO_LARGE,
    f"{_FORMAT}unexpected hostname ": Cause.ENDPOINT,
    f"{_FORMAT}global endpoint unsupported ": Cause.ENDPOINT,
    f"{_FORMAT}partition {{": Cause.ENDPOINT,
    f"{_FORMAT}invalid region ": Cause.ENDPOINT,
    f"{_FORMAT}could not parse region ": Cause.ENDPOINT,
    "sts getCallerIdentity was throttled: ": Cause.THROTTLED,
}
# What STS answers, by the code of its error.
_CODES = {
    "SignatureDoesNotMatch": Cause.SIGNATURE,
    "RequestExpired": Cause.CLOCK,
    "InvalidClientTokenId": Cause.ACCESS_KEY,
    "UnrecognizedClientException": Cause.ACCESS_KEY,
    "ExpiredToken": Cause.EXPIRED,
    "ExpiredTokenException": Cause.EXPIRED,
    "Throttling": Cause.THROTTLED,
    "ThrottlingException": Cause.THROTTLED,
}
_CLOCK_MESSAGES = ("Signature expired", "Signature not yet current")
# What a token, a presigned URL, or a URL with a password has in it.
_SECRET = ("k8s-aws-v1.", "x-amz-", "://", "@")
# A longer word may be a signature, or a part of a session's token.
_LONGEST_WORD = 60


@dataclasses.dataclass(frozen=True)
class Refusal:
    """Logins that were refused for one reason."""

    last: datetime  # When the newest of them was.
    count: int  # How often the authenticator refused. The API server may try a login five times.
    cause: Cause
    # The principal as a mapping would name it, spelt as AWS does; empty where the authenticator
    # did not learn who it was.
    arn: str = ""
    access_key_id: str = ""  # The access key, if the principal is known; or empty.
    detail: str = ""  # What the authenticator says, in quotes, where the cause is one of many.
    session: str = ""  # The session of a role, which for Identity Center is the person; or empty.

    @property
    def text(self) -> str:
        """Return the cause, with what helps or what the authenticator says."""
        return f"{self.cause.value}{f': {self.detail}' if self.detail else ''}"


def parse(lines: Iterable[str]) -> list[Refusal]:
    """Return the refusals in ``lines`` of the authenticator's log, the newest first. The lines of
    one pod follow each other in their order."""
    found: dict[tuple[Cause, str, str, str], Refusal] = {}
    for line, answer in _decisions(lines):
        if line.is_denial:
            refusal = _refusal(line, answer)
            key = (refusal.cause, refusal.arn, refusal.access_key_id, refusal.session)
            if former := found.get(key):
                newest = max(former, refusal, key=lambda each: each.last)
                refusal = dataclasses.replace(newest, count=former.count + 1)
            found[key] = refusal
    return sorted(found.values(), key=lambda refusal: refusal.last, reverse=True)


def confirmed(lines: Iterable[str]) -> Iterator[Line]:
    """Yield each login of a principal that AWS confirmed, and that a mapping let in or would."""
    for line, _ in _decisions(lines):
        is_known = line.msg == _GRANTED or _cause(line.error)[0] == Cause.NOT_MAPPED
        if is_known and arns.canonical_or_empty(line.arn):
            yield line


def _decisions(lines: Iterable[str]) -> Iterator[tuple[Line, Line | None]]:
    """Yield each decision in ``lines``, with what STS answered. Those on made-up logins of the
    charm are left out, and whatever else is not the authenticator's."""
    known = defaultdict[tuple[str, str], deque[Line]](deque)
    announced = dict[str, datetime]()
    for line in filter(None, map(_decode, lines)):
        until = announced.get(line.client)
        if line.msg == _ANNOUNCED:
            announced[line.client] = line.time + _ANNOUNCED_FOR
        elif line.level == "error" or (until and line.time <= until):
            continue
        elif line.msg == _ANSWER:
            known[line.client, arns.canonical_or_empty(line.arn)].append(line)
        elif line.msg in (_DENIED, _GRANTED) and not _PROBE.fullmatch(line.error):
            # One connection serves many logins at a time, so several of one role may be open.
            answers = known.get((line.client, line.arn.lower()))
            yield line, answers.popleft() if answers else None


def _decode(line: str) -> Line | None:
    """Return a line on a login; None for any other line."""
    # JSON may begin with a space or a tab. The authenticator's does not, and a text of several
    # lines in a library's line does.
    if not line.startswith("{"):
        return None
    try:
        return _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None


def redacted(text: str) -> str:
    """Return ``text`` on one line, without the words that may be a token, or part of one or of a
    presigned URL."""
    return " ".join("…" if _may_be_secret(word) else word for word in text.split())


def _may_be_secret(word: str) -> bool:
    return len(word) > _LONGEST_WORD or any(mark in word.casefold() for mark in _SECRET)


def of_client(lines: Iterable[str], client: str) -> Refusal | None:
    """Return the newest refusal of a login that came over the connection from ``client``, an
    address with its port; None if there is none in ``lines``."""
    found = [line for line in _denials(lines) if line.client == client]
    return _refusal(found[-1], None) if found else None


def quotes(lines: Iterable[str], text: str) -> bool:
    """Return whether the authenticator refused a token, and its reason quotes ``text``."""
    return any(text in line.error for line in _denials(lines))


def _denials(lines: Iterable[str]) -> Iterator[Line]:
    return (line for line in map(_decode, lines) if line and line.is_denial)


def _refusal(line: Line, answer: Line | None) -> Refusal:
    cause, detail = _cause(line.error)
    key, session = (answer.accesskeyid, answer.session) if answer else ("", "")
    return Refusal(
        last=line.time,
        count=1,
        cause=cause,
        arn=line.arn if arns.canonical_or_empty(line.arn) else "",
        # Anything else is no key or session of AWS.
        access_key_id=key if _ACCESS_KEY_ID.fullmatch(key) else "",
        detail=detail,
        session=session if _SESSION.fullmatch(session) else "",
    )


def _cause(error: str) -> tuple[Cause, str]:
    """Return the cause in an error of the authenticator; of one without a remedy of its own, also
    what the error says."""
    for begin, cause in _BEGINNINGS.items():
        if error.startswith(begin):
            return cause, ""
    if not error.startswith(_STS):
        return Cause.OTHER, _said(error)
    failure, is_answer, body = error.removeprefix(_STS).partition(" Body: ")
    if not is_answer or failure.startswith(_GET):
        return Cause.UNREACHABLE, _said(error.removeprefix(_STS).removeprefix(_GET))
    try:
        answer = json.loads(body)["Error"]
        code, message = str(answer["Code"]), str(answer.get("Message", ""))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # Something else answers in the place of STS.
        return Cause.UNREACHABLE, _said(failure)
    if code == "SignatureDoesNotMatch" and message.startswith(_CLOCK_MESSAGES):
        return Cause.CLOCK, ""
    cause = _CODES.get(code, Cause.OTHER)
    return cause, _said(f"{code}: {message}") if cause == Cause.OTHER else ""


def _said(text: str) -> str:
    # A stranger chose what is in the request, and errors quote it.
    return quoted(redacted(text))
