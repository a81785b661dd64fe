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
from collections.abc import Iterable, Iterator

from access import arn as arns
from access import login_lines
from access.login_lines import Line
from text import brief, quoted


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
    MALFORMED = "malformed token"
    REQUEST = "refused by STS"
    USERNAME = "invalid username"
    TEMPLATE = "template not filled in"
    OTHER = "other"
    # What keeps the pods from STS.
    DNS = "STS out of reach (DNS)"
    CONNECTION = "STS out of reach (connection)"
    TIMEOUT = "STS out of reach (time-out)"
    TLS = "STS out of reach (TLS)"
    PROXY = "STS out of reach (proxy)"
    PROXY_REFUSES = "STS out of reach (refused by the proxy)"
    IMPOSTOR = "STS out of reach (something else answers)"
    UNREACHABLE = "STS out of reach"
    FAILING = "STS fails"


_NO_ANSWER = "the pods get no answer from STS"
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
    Cause.MALFORMED: "the token is not one that aws-iam-authenticator makes",
    Cause.REQUEST: "STS does not take the request in the token, and says",
    Cause.USERNAME: "the mapping's username begins with a reserved prefix",
    Cause.TEMPLATE: (
        "the mapping's username or groups have a template that this login does not fill in"
    ),
    Cause.OTHER: "see the authenticator's log",
    Cause.FAILING: "STS answers with an error of its own",
}
# How the authenticator's errors begin. A stranger chooses what follows, so no more is compared.
_FORMAT = "input token was not properly formatted: "
_ERRORS = (
    (re.compile(r"(identity|ARN) is not mapped"), Cause.NOT_MAPPED),
    (re.compile(_FORMAT + r"X-Amz-Date parameter is expired"), Cause.CLOCK),
    (re.compile(_FORMAT + r"token is too large"), Cause.TOO_LARGE),
    (
        re.compile(
            _FORMAT + r"(unexpected hostname |global endpoint unsupported |partition \{|"
            r"invalid region |could not parse region )"
        ),
        Cause.ENDPOINT,
    ),
    (re.compile(_FORMAT), Cause.MALFORMED),
    (re.compile(r"sts getCallerIdentity was throttled: "), Cause.THROTTLED),
    (re.compile(r"invalid username '"), Cause.USERNAME),
    (re.compile(r"mapper \w+ renderTemplates error: "), Cause.TEMPLATE),
)
_STS = re.compile(r"sts getCallerIdentity failed: (?:error during GET: )?(.*)", re.DOTALL)
_ANSWER = re.compile(r"error from AWS \(expected 200, got (\d+)\)[^{]*(.*)", re.DOTALL)
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
    "InternalFailure": Cause.FAILING,
    "ServiceUnavailable": Cause.FAILING,
}
_CLOCK_MESSAGES = ("Signature expired", "Signature not yet current")
# How the errors of Go's net, crypto/tls and net/http tell what is in the way; the first that fits.
# Of a CONNECT that a proxy refuses, Go gives the text of the status only.
_OBSTACLES = (
    (re.compile(r"proxyconnect "), Cause.PROXY),
    (
        re.compile(
            r"^(Proxy Authentication Required|Forbidden|Bad Gateway|Gateway Timeout|"
            r"Service Unavailable|Method Not Allowed|Bad Request) on "
        ),
        Cause.PROXY_REFUSES,
    ),
    (re.compile(r"x509: |tls: "), Cause.TLS),
    (re.compile(r"lookup |:53: |no such host|server misbehaving"), Cause.DNS),
    (
        re.compile(r"connection refused|connection reset|no route|network is unreachable|EOF on "),
        Cause.CONNECTION,
    ),
    (re.compile(r"[Tt]imeout|deadline exceeded"), Cause.TIMEOUT),
)
# What a token, a presigned URL, or a URL with a password has in it.
_SECRET = ("k8s-aws-v1.", "x-amz-", "://", "@")


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
    # What the pods met on their way to STS, or what STS says of the request; or empty.
    detail: str = ""
    session: str = ""  # The session of a role, which for Identity Center is the person; or empty.

    @property
    def text(self) -> str:
        """Return the cause in a sentence, with what helps."""
        text = _TEXTS.get(self.cause, _NO_ANSWER)
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
    """Return ``text`` on one line, without the words that may be a token, or part of a presigned
    URL."""
    return " ".join(
        "…" if any(mark in word.casefold() for mark in _SECRET) else word for word in text.split()
    )


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
    """Return the cause in an error of the authenticator, and what is known of it beyond that."""
    for begin, cause in _ERRORS:
        if begin.match(error):
            return cause, ""
    if not (failure := _STS.match(error)):
        return Cause.OTHER, ""
    if answer := _ANSWER.match(failure[1]):
        return _answered(answer[1], answer[2])
    met = next((cause for mark, cause in _OBSTACLES if mark.search(failure[1])), Cause.UNREACHABLE)
    return met, brief(redacted(failure[1]))


def _answered(status: str, body: str) -> tuple[Cause, str]:
    """Return why STS refuses a login, or what answers in its place."""
    try:
        error = json.loads(body)["Error"]
        code, message = str(error["Code"]), str(error.get("Message", ""))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Cause.IMPOSTOR, f"something else answers with {status}"
    if code == "SignatureDoesNotMatch" and message.startswith(_CLOCK_MESSAGES):
        return Cause.CLOCK, ""
    cause = _CODES.get(code, Cause.OTHER)
    if cause == Cause.OTHER and status == "400":
        # A stranger chose what is in the request, and STS quotes it.
        return Cause.REQUEST, quoted(brief(redacted(f"{code}: {message}")))
    said = f"{status} {brief(redacted(code))}" if cause in (Cause.OTHER, Cause.FAILING) else ""
    return cause, said
