# SPDX-License-Identifier: Apache-2.0

"""Who was refused, and why, by the log of the authenticator. Pure.

The charm says in its own words what has a remedy of its own. Of anything else it quotes the
authenticator, without the words that may be secret.

A stranger chooses how long the words of a line are, so nothing here takes more than a time in
proportion to the line.

Source: aws-iam-authenticator v0.7.18 (``pkg/server``, ``pkg/token``, ``pkg/errutil``).
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
from collections.abc import Iterable, Iterator

from access import arn as arns
from access import login_lines
from access.login_lines import Line
from text import quoted


class Cause(enum.Enum):
    """Why a login was refused. The value is what people read."""

    NOT_MAPPED = "not mapped"
    SIGNATURE = "bad signature or wrong cluster id"
    CLOCK = "clock skew"
    ACCESS_KEY = "unknown access key"
    EXPIRED = "expired credentials"
    TOO_LARGE = "token too large"
    THROTTLED = "throttled"
    ENDPOINT = "wrong endpoint"
    UNREACHABLE = "STS out of reach"
    OTHER = "other"


_TEXTS = {
    Cause.NOT_MAPPED: "AWS confirms this identity, and no mapping has its ARN",
    # STS gives one answer for both, and the cluster id is part of what a token signs.
    Cause.SIGNATURE: "the secret key is wrong, or the kubeconfig is for another cluster id",
    Cause.CLOCK: (
        "the token is older than 15 minutes, or from the future: compare the person's clock"
    ),
    Cause.ACCESS_KEY: (
        "AWS does not know the access key: deleted, inactive, or of another partition"
    ),
    Cause.EXPIRED: "the temporary AWS credentials have expired: get new ones",
    Cause.TOO_LARGE: (
        "aws-iam-authenticator takes 4,096 characters: use fewer or shorter session tags and "
        "policies, a role assumed directly, or long-term keys of a user"
    ),
    Cause.THROTTLED: "STS gets too many requests from these credentials or this network",
    Cause.ENDPOINT: "the token is for an STS that the option partition does not accept",
    Cause.UNREACHABLE: "the pods get no answer from STS",
    Cause.OTHER: "the authenticator says",
}
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

    last: datetime.datetime  # When the newest of them was.
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
        """Return the cause in a sentence, with what helps."""
        text = _TEXTS[self.cause]
        return f"{text}: {self.detail}" if self.detail else text


def parse(lines: Iterable[str], begin: datetime.datetime, end: datetime.datetime) -> list[Refusal]:
    """Return the refusals between ``begin`` and ``end`` in ``lines`` of the authenticator's log,
    the newest first. The lines of one pod follow each other in their order.
    """
    found: dict[tuple[Cause, str, str, str], Refusal] = {}
    for line, answer in login_lines.decisions(lines, begin, end):
        if _is_denial(line):
            refusal = _refusal(line, answer)
            key = (refusal.cause, refusal.arn, refusal.access_key_id, refusal.session)
            if former := found.get(key):
                newest = max(former, refusal, key=lambda each: each.last)
                refusal = dataclasses.replace(newest, count=former.count + 1)
            found[key] = refusal
    return sorted(found.values(), key=lambda refusal: refusal.last, reverse=True)


def confirmed(
    lines: Iterable[str], begin: datetime.datetime, end: datetime.datetime
) -> Iterator[Line]:
    """Yield each login of a principal that AWS confirmed, and that a mapping let in or would."""
    for line, _ in login_lines.decisions(lines, begin, end):
        is_known = line.msg == login_lines.GRANTED or _cause(line.error)[0] == Cause.NOT_MAPPED
        if is_known and arns.canonical_or_empty(line.arn):
            yield line


def redacted(text: str) -> str:
    """Return ``text`` on one line, without the words that may be a token, or part of one or of a
    presigned URL."""
    return " ".join("…" if _may_be_secret(word) else word for word in text.split())


def _may_be_secret(word: str) -> bool:
    return len(word) > _LONGEST_WORD or any(mark in word.casefold() for mark in _SECRET)


def of_client(lines: Iterable[str], client: str) -> Refusal | None:
    """Return the newest refusal of a login that came over the connection from ``client``, an
    address with its port; None if there is none in ``lines``."""
    found = [line for line in map(login_lines.decode, lines) if line and _is_denial(line)]
    return next((_refusal(line, None) for line in reversed(found) if line.client == client), None)


def quotes(lines: Iterable[str], text: str) -> bool:
    """Return whether the authenticator refused a token, and its reason quotes ``text``."""
    found = map(login_lines.decode, lines)
    return any(line and _is_denial(line) and text in line.error for line in found)


def _is_denial(line: Line) -> bool:
    return line.level == "warning" and line.msg == login_lines.DENIED and bool(line.error)


def _refusal(line: Line, answer: Line | None) -> Refusal:
    cause, detail = _cause(line.error)
    return Refusal(
        last=line.time,
        count=1,
        cause=cause,
        arn=line.arn if arns.canonical_or_empty(line.arn) else "",
        access_key_id=answer.access_key_id if answer else "",
        detail=detail,
        session=answer.session_name if answer else "",
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
