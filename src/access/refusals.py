# SPDX-License-Identifier: Apache-2.0

"""Who was refused, and why, by the log of the authenticator. Pure.

No text of a refusal quotes a token: the texts are the charm's own, except for the cause where STS
is out of reach.

A stranger also chooses how long the words of a line are, so nothing here takes more than a time in
proportion to the line.

Source: aws-iam-authenticator v0.7.18 (``pkg/server``, ``pkg/token``, ``pkg/errutil``).
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import re
from collections.abc import Iterable

from access import arn as arns
from access import login_log
from access.login_log import Line
from text import brief


class Kind(enum.Enum):
    """Why a login was refused. The value is what people read."""

    NOT_MAPPED = "not mapped"
    SIGNATURE = "bad signature or wrong cluster id"
    CLOCK = "clock skew"
    ACCESS_KEY = "unknown access key"
    EXPIRED = "expired credentials"
    UNREACHABLE = "STS out of reach"
    THROTTLED = "throttled"
    ENDPOINT = "wrong endpoint"
    MALFORMED = "malformed token"
    USERNAME = "invalid username"
    TEMPLATE = "template not filled in"
    OTHER = "other"


_TEXTS = {
    Kind.NOT_MAPPED: "AWS confirms this identity, and no mapping has its ARN",
    # STS gives one answer for both, and the cluster id is part of what a token signs.
    Kind.SIGNATURE: "the secret key is wrong, or the kubeconfig is for another cluster id",
    Kind.CLOCK: (
        "the token is older than 15 minutes, or from the future: compare the person's clock"
    ),
    Kind.ACCESS_KEY: (
        "AWS does not know the access key: deleted, inactive, or of another partition"
    ),
    Kind.EXPIRED: "the temporary AWS credentials have expired: get new ones",
    Kind.UNREACHABLE: "the pods get no answer from STS",
    Kind.THROTTLED: "STS gets too many requests from these credentials or this network",
    Kind.ENDPOINT: "the token is for an STS that the option partition does not accept",
    Kind.MALFORMED: "the token is not one that aws-iam-authenticator makes",
    Kind.USERNAME: "the mapping's username begins with a reserved prefix",
    Kind.TEMPLATE: (
        "the mapping's username or groups have a template that this login does not fill in"
    ),
    Kind.OTHER: "see the authenticator's log",
}
# How the authenticator's errors begin. A stranger chooses what follows, so no more is compared.
_FORMAT = "input token was not properly formatted: "
_ERRORS = (
    (re.compile(r"(identity|ARN) is not mapped"), Kind.NOT_MAPPED),
    (re.compile(_FORMAT + r"X-Amz-Date parameter is expired"), Kind.CLOCK),
    (re.compile(_FORMAT + r"(unexpected hostname |global endpoint unsupported )"), Kind.ENDPOINT),
    (
        re.compile(_FORMAT + r"(partition \{|invalid region |could not parse region )"),
        Kind.ENDPOINT,
    ),
    (re.compile(_FORMAT), Kind.MALFORMED),
    (re.compile(r"sts getCallerIdentity was throttled: "), Kind.THROTTLED),
    (re.compile(r"invalid username '"), Kind.USERNAME),
    (re.compile(r"mapper \w+ renderTemplates error: "), Kind.TEMPLATE),
)
_STS = re.compile(r"sts getCallerIdentity failed: (?:error during GET: )?(.*)", re.DOTALL)
_ANSWER = re.compile(r"error from AWS \(expected 200, got (\d+)\)[^{]*(.*)", re.DOTALL)
# What STS answers, by the code of its error.
_CODES = {
    "SignatureDoesNotMatch": Kind.SIGNATURE,
    "RequestExpired": Kind.CLOCK,
    "InvalidClientTokenId": Kind.ACCESS_KEY,
    "UnrecognizedClientException": Kind.ACCESS_KEY,
    "ExpiredToken": Kind.EXPIRED,
    "ExpiredTokenException": Kind.EXPIRED,
    "Throttling": Kind.THROTTLED,
    "ThrottlingException": Kind.THROTTLED,
    "IncompleteSignature": Kind.MALFORMED,
    "InternalFailure": Kind.UNREACHABLE,
    "ServiceUnavailable": Kind.UNREACHABLE,
}
_CLOCK_MESSAGES = ("Signature expired", "Signature not yet current")
# What a token, a presigned URL, or a URL with a password has in it.
_SECRET = ("k8s-aws-v1.", "x-amz-", "://", "@")


@dataclasses.dataclass(frozen=True)
class Refusal:
    """Logins that were refused for one reason.

    Attributes:
        last: When the newest of them was.
        count: How often the authenticator refused. The API server may try a login five times.
        kind: Why.
        arn: The principal as a mapping would name it, spelt as AWS does; empty where the
            authenticator did not learn who it was.
        access_key_id: The access key, if the principal is known; or empty.
        text: The reason as a person reads it.
        session: The session of a role, which for Identity Center is the person; or empty.
    """

    last: datetime.datetime
    count: int
    kind: Kind
    arn: str
    access_key_id: str
    text: str
    session: str = ""


def parse(lines: Iterable[str], begin: datetime.datetime, end: datetime.datetime) -> list[Refusal]:
    """Return the refusals between ``begin`` and ``end`` in ``lines`` of the authenticator's log,
    the newest first. The lines of one pod follow each other in their order.
    """
    found: dict[tuple[Kind, str, str, str], Refusal] = {}
    for line, answer in login_log.decisions(lines, begin, end):
        if _is_denial(line):
            refusal = _refusal(line, answer)
            key = (refusal.kind, refusal.arn, refusal.access_key_id, refusal.session)
            found[key] = _merged(refusal, found.get(key))
    return sorted(found.values(), key=lambda refusal: refusal.last, reverse=True)


def redacted(text: str) -> str:
    """Return ``text`` on one line, without the words that may be a token, or part of a presigned
    URL."""
    return " ".join("…" if _may_be_secret(word) else word for word in text.split())


def _may_be_secret(word: str) -> bool:
    folded = word.casefold()
    return any(mark in folded for mark in _SECRET)


def of_client(lines: Iterable[str], client: str) -> Refusal | None:
    """Return the newest refusal of a login that came over the connection from ``client``, an
    address with its port; None if there is none in ``lines``."""
    found = [line for line in map(login_log.decode, lines) if line and _is_denial(line)]
    return next((_refusal(line, None) for line in reversed(found) if line.client == client), None)


def quotes(lines: Iterable[str], text: str) -> bool:
    """Return whether the authenticator refused a token, and its reason quotes ``text``."""
    found = map(login_log.decode, lines)
    return any(line and _is_denial(line) and text in line.error for line in found)


def _is_denial(line: Line) -> bool:
    return line.level == "warning" and line.msg == login_log.DENIED and bool(line.error)


def _refusal(line: Line, answer: Line | None) -> Refusal:
    kind, text = _reason(line.error)
    return Refusal(
        last=line.time,
        count=1,
        kind=kind,
        arn=line.arn if arns.canonical_or_empty(line.arn) else "",
        access_key_id=answer.access_key_id if answer else "",
        text=text,
        session=answer.session_name if answer else "",
    )


def _merged(new: Refusal, former: Refusal | None) -> Refusal:
    if not former:
        return new
    newest = max(former, new, key=lambda refusal: refusal.last)
    return dataclasses.replace(newest, count=former.count + 1)


def _reason(error: str) -> tuple[Kind, str]:
    """Return the kind of an error of the authenticator, and its text for a person."""
    for begin, kind in _ERRORS:
        if begin.match(error):
            return kind, _TEXTS[kind]
    if not (failure := _STS.match(error)):
        return Kind.OTHER, _TEXTS[Kind.OTHER]
    if not (answer := _ANSWER.match(failure[1])):
        cause = brief(redacted(failure[1]))
        return Kind.UNREACHABLE, f"{_TEXTS[Kind.UNREACHABLE]}: {cause}"
    return _answer(answer[1], answer[2])


def _answer(status: str, body: str) -> tuple[Kind, str]:
    """Return kind and text of a refusal by STS, or by what answers in its place."""
    try:
        error = json.loads(body)["Error"]
        code, message = str(error["Code"]), str(error.get("Message", ""))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return (
            Kind.UNREACHABLE,
            f"{_TEXTS[Kind.UNREACHABLE]}: something else answers with {status}",
        )
    if code == "SignatureDoesNotMatch" and message.startswith(_CLOCK_MESSAGES):
        return Kind.CLOCK, _TEXTS[Kind.CLOCK]
    kind = _CODES.get(code, Kind.OTHER)
    if kind in (Kind.OTHER, Kind.UNREACHABLE):
        return kind, f"STS answers {status} {brief(redacted(code))}"
    return kind, _TEXTS[kind]
