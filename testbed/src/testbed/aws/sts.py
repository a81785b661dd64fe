"""The API of STS: GetCallerIdentity and AssumeRole, answered in JSON or XML."""

from __future__ import annotations

import datetime as dt
import json
import re
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from testbed.aws import sigv4
from testbed.aws.accounts import Accounts, Credentials, Principal
from testbed.aws.regions import place_of
from testbed.aws.sigv4 import Refused, Request

API_VERSION = "2011-06-15"

_NAMESPACE = f"https://sts.amazonaws.com/doc/{API_VERSION}/"
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_DEFAULT_DURATION = 3600
_SHORTEST_DURATION, _LONGEST_DURATION = 900, 43_200


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    content_type: str
    body: bytes
    request_id: str


def respond(request: Request, accounts: Accounts, now: dt.datetime) -> Response:
    """Return the response of STS to a request."""
    request_id = str(uuid.uuid4())
    as_json = "application/json" in request.header("accept")
    try:
        caller = authenticate(request, accounts, now)
        action, result = _perform(_parameters(request), caller, accounts, now)
    except Refused as refusal:
        return _refusal(refusal, request_id, as_json)
    return _answer(action, result, request_id, as_json)


def throttling() -> Refused:
    """Return the error of an STS that gets too many requests."""
    return Refused(400, "Throttling", "Rate exceeded")


def failing() -> Refused:
    """Return the error of an STS that is not well."""
    return Refused(503, "ServiceUnavailable", "Service is unable to handle request.")


def refuse(request: Request, reason: Refused) -> Response:
    """Return the response of an STS that does not look at the request."""
    as_json = "application/json" in request.header("accept")
    return _refusal(reason, str(uuid.uuid4()), as_json)


def authenticate(request: Request, accounts: Accounts, now: dt.datetime) -> Principal:
    """Return the principal that signed the request. Raises Refused."""
    place = place_of(request.header("host"))
    if place is None:
        raise Refused(403, "SignatureDoesNotMatch", f"No STS at host '{request.header('host')}'.")
    signature = sigv4.signature_of(request)
    credentials = accounts.credentials(signature.access_key)
    if (
        credentials is None
        or credentials.token != signature.token
        or credentials.principal.partition != place.partition
    ):
        raise Refused(
            403, "InvalidClientTokenId", "The security token included in the request is invalid."
        )
    sigv4.check(request, signature, credentials.secret_key, place.region, now)
    if credentials.expires and credentials.expires < now:
        raise Refused(403, "ExpiredToken", "The security token included in the request is expired")
    if credentials.throttled:
        raise throttling()
    return credentials.principal


def _parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the API call. SDKs send them as the form of a POST."""
    if request.method == "POST" and request.body:
        return dict(urllib.parse.parse_qsl(request.body.decode(errors="replace"), True))
    return dict(request.parameters)


def _perform(
    parameters: Mapping[str, str], caller: Principal, accounts: Accounts, now: dt.datetime
) -> tuple[str, dict[str, Any]]:
    action = parameters.get("Action", "")
    if parameters.get("Version") == API_VERSION:
        if action == "GetCallerIdentity":
            return action, _caller_identity(caller)
        if action == "AssumeRole":
            return action, _assume_role(parameters, caller, accounts, now)
    version = parameters.get("Version", "")
    raise Refused(400, "InvalidAction", f"Could not find operation {action} for version {version}")


def _caller_identity(caller: Principal) -> dict[str, Any]:
    return {"Account": caller.account, "Arn": caller.arn, "UserId": caller.user_id}


def _assume_role(
    parameters: Mapping[str, str], caller: Principal, accounts: Accounts, now: dt.datetime
) -> dict[str, Any]:
    arn = parameters.get("RoleArn", "")
    session = parameters.get("RoleSessionName", "")
    if not _SESSION_NAME.fullmatch(session):
        raise Refused(400, "ValidationError", f"RoleSessionName '{session}' is not valid")
    expires = now + _duration(parameters.get("DurationSeconds", ""), caller)
    role = accounts.role(arn)
    if role is None or not role.trusts_principal(caller):
        raise Refused(
            403,
            "AccessDenied",
            f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
        )
    given = accounts.assume(role, session, expires)
    return {"Credentials": _credentials(given), "AssumedRoleUser": _assumed(given.principal)}


def _duration(text: str, caller: Principal) -> dt.timedelta:
    seconds = int(text) if text.isdecimal() else (-1 if text else _DEFAULT_DURATION)
    longest = _DEFAULT_DURATION if caller.is_role else _LONGEST_DURATION
    if not _SHORTEST_DURATION <= seconds <= longest:
        raise Refused(
            400,
            "ValidationError",
            f"DurationSeconds must be {_SHORTEST_DURATION} to {longest}, not '{text}'",
        )
    return dt.timedelta(seconds=seconds)


def _credentials(given: Credentials) -> dict[str, str]:
    assert given.expires is not None
    return {
        "AccessKeyId": given.access_key,
        "SecretAccessKey": given.secret_key,
        "SessionToken": given.token,
        "Expiration": given.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _assumed(principal: Principal) -> dict[str, str]:
    return {"AssumedRoleId": principal.user_id, "Arn": principal.arn}


def _answer(action: str, result: dict[str, Any], request_id: str, as_json: bool) -> Response:
    content = {f"{action}Result": result, "ResponseMetadata": {"RequestId": request_id}}
    return _response(200, f"{action}Response", content, request_id, as_json)


def _refusal(refusal: Refused, request_id: str, as_json: bool) -> Response:
    error = {"Type": "Sender", "Code": refusal.code, "Message": refusal.message}
    content = {"Error": error, "RequestId": request_id}
    if as_json:
        return Response(
            refusal.status, "application/json", json.dumps(content).encode(), request_id
        )
    return _response(refusal.status, "ErrorResponse", content, request_id, as_json)


def _response(
    status: int, name: str, content: dict[str, Any], request_id: str, as_json: bool
) -> Response:
    if as_json:
        body = json.dumps({name: content})
        return Response(status, "application/json", body.encode(), request_id)
    body = f'<{name} xmlns="{_NAMESPACE}">{_xml(content)}</{name}>\n'
    return Response(status, "text/xml", body.encode(), request_id)


def _xml(content: Mapping[str, Any]) -> str:
    return "".join(
        f"<{key}>{_xml(value) if isinstance(value, Mapping) else escape(value)}</{key}>"
        for key, value in content.items()
    )
