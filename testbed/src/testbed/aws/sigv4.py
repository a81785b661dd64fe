"""Checks AWS Signature Version 4, of a presigned URL or of an Authorization header. Pure.

The rules are those of AWS's documentation "AWS Signature Version 4 for API requests". People read
the errors, so their messages are close to STS's own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALGORITHM = "AWS4-HMAC-SHA256"

_VALID_FOR = dt.timedelta(minutes=15)
"""How long STS accepts a signature, presigned or not. It ignores a shorter X-Amz-Expires."""
_EARLY_BY = dt.timedelta(minutes=5)
_LONGEST_EXPIRES = 604_800
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)"
)


class Refused(Exception):
    """AWS would refuse the request with this HTTP status, error code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Request:
    """An HTTP request. The query is still encoded; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, Sequence[str]]
    body: bytes = b""

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's parameters, decoded and in the order of the query."""
        pairs = (part.partition("=") for part in self.query.split("&") if part)
        return [(urllib.parse.unquote(k), urllib.parse.unquote(v)) for k, _, v in pairs]

    def header(self, name: str) -> str:
        """Return a header's value as it is signed: spaces folded, repeated headers joined."""
        return ",".join(" ".join(value.split()) for value in self.headers.get(name, ()))


@dataclass(frozen=True)
class Signature:
    """What a request says about its signature."""

    access_key: str
    scope: str
    signed_headers: tuple[str, ...]
    signed_at: str
    value: str
    token: str


def signature_of(request: Request) -> Signature:
    """Return a request's signature, unchecked. Raises Refused if it is missing or incomplete."""
    parameters = dict(request.parameters)
    if "X-Amz-Signature" in parameters or "X-Amz-Algorithm" in parameters:
        return _presigned(parameters)
    if "authorization" in request.headers:
        return _in_header(request)
    raise Refused(403, "MissingAuthenticationToken", "Request is missing Authentication Token")


def check(
    request: Request, signature: Signature, secret_key: str, scope: str, now: dt.datetime
) -> None:
    """Raise Refused unless the signature is valid.

    It must be made with this secret key, for this region and service, as `us-east-1/sts`, and be
    neither too old nor from the future.
    """
    _check_scope(signature, scope)
    _check_headers(request, signature)
    _check_time(signature, now)
    expected = _sign(_string_to_sign(request, signature), signature, secret_key)
    if not hmac.compare_digest(expected, signature.value):
        raise _mismatch(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )


def _presigned(parameters: Mapping[str, str]) -> Signature:
    names = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
    missing = [f"X-Amz-{name}" for name in names if not parameters.get(f"X-Amz-{name}")]
    if missing:
        raise _incomplete(f"AWS query-string parameters must include {', '.join(missing)}.")
    if parameters["X-Amz-Algorithm"] != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{parameters['X-Amz-Algorithm']}'.")
    expires = parameters["X-Amz-Expires"]
    # AWS takes 0 too, which every aws-iam-authenticator before v0.6.25 sends.
    if not expires.isdecimal() or int(expires) > _LONGEST_EXPIRES:
        raise _incomplete(
            f"X-Amz-Expires must be 0 to {_LONGEST_EXPIRES} seconds, not '{expires}'."
        )
    return _signature(
        parameters["X-Amz-Credential"],
        parameters["X-Amz-SignedHeaders"],
        parameters["X-Amz-Signature"],
        signed_at=parameters["X-Amz-Date"],
        token=parameters.get("X-Amz-Security-Token", ""),
    )


def _in_header(request: Request) -> Signature:
    found = _AUTHORIZATION.fullmatch(request.header("authorization"))
    if not found:
        raise _incomplete(
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'."
        )
    if not request.header("x-amz-date"):
        raise _incomplete("Authorization header requires existence of a 'X-Amz-Date' header.")
    return _signature(
        *found.groups(),
        signed_at=request.header("x-amz-date"),
        token=request.header("x-amz-security-token"),
    )


def _signature(
    credential: str,
    signed_headers: str,
    value: str,
    *,
    signed_at: str,
    token: str,
) -> Signature:
    access_key, _, scope = credential.partition("/")
    if len(scope.split("/")) != 4:
        raise _incomplete(
            f"Credential must have exactly 5 slash-delimited elements, got '{credential}'."
        )
    names = tuple(signed_headers.split(";"))
    return Signature(access_key, scope, names, signed_at, value, token)


def _check_scope(signature: Signature, scope: str) -> None:
    expected = f"{signature.signed_at[:8]}/{scope}/aws4_request"
    if signature.scope != expected:
        raise _mismatch(f"Credential should be scoped to '{expected}', not '{signature.scope}'.")


def _check_headers(request: Request, signature: Signature) -> None:
    if list(signature.signed_headers) != sorted(
        {name.lower() for name in signature.signed_headers}
    ):
        raise _mismatch("SignedHeaders must be in lower case and sorted.")
    if "host" not in signature.signed_headers:
        raise _mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.")
    absent = [name for name in signature.signed_headers if name not in request.headers]
    if absent:
        raise _mismatch(f"The signed header '{absent[0]}' is not in the request.")
    unsigned = sorted(
        name
        for name in request.headers
        if name.startswith("x-amz-") and name not in signature.signed_headers
    )
    if unsigned:
        raise _mismatch(f"'{unsigned[0]}' must be a 'SignedHeader' in the AWS Authorization.")


def _check_time(signature: Signature, now: dt.datetime) -> None:
    try:
        signed_at = dt.datetime.strptime(f"{signature.signed_at} +0000", f"{_TIME_FORMAT} %z")
    except ValueError:
        raise _incomplete(
            f"Date must be in ISO-8601 'basic format', got '{signature.signed_at}'."
        ) from None
    if signed_at + _VALID_FOR < now:
        earliest = (now - _VALID_FOR).strftime(_TIME_FORMAT)
        raise _mismatch(
            f"Signature expired: {signature.signed_at} is now earlier than {earliest} "
            f"({now.strftime(_TIME_FORMAT)} - 15 min.)"
        )
    if signed_at > now + _EARLY_BY:
        latest = (now + _EARLY_BY).strftime(_TIME_FORMAT)
        raise _mismatch(
            f"Signature not yet current: {signature.signed_at} is still later than {latest} "
            f"({now.strftime(_TIME_FORMAT)} + 5 min.)"
        )


def _string_to_sign(request: Request, signature: Signature) -> str:
    canonical = _canonical_request(request, signature)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return f"{ALGORITHM}\n{signature.signed_at}\n{signature.scope}\n{digest}"


def _canonical_request(request: Request, signature: Signature) -> str:
    query = sorted(
        (_quoted(key), _quoted(value))
        for key, value in request.parameters
        if key != "X-Amz-Signature"
    )
    headers = "".join(f"{name}:{request.header(name)}\n" for name in signature.signed_headers)
    parameters = "&".join(f"{key}={value}" for key, value in query)
    names = ";".join(signature.signed_headers)
    body = hashlib.sha256(request.body).hexdigest()
    return f"{request.method}\n{request.path or '/'}\n{parameters}\n{headers}\n{names}\n{body}"


def _sign(text: str, signature: Signature, secret_key: str) -> str:
    key = f"AWS4{secret_key}".encode()
    for part in signature.scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~")


def _mismatch(message: str) -> Refused:
    return Refused(403, "SignatureDoesNotMatch", message)


def _incomplete(message: str) -> Refused:
    return Refused(400, "IncompleteSignature", message)
