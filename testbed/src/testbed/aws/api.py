"""The API of STS as requests and answers, in JSON or XML."""

from __future__ import annotations

import datetime as dt
import json
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from testbed.aws import sigv4, sts
from testbed.aws.accounts import Accounts, Credentials
from testbed.aws.call import Call, Result
from testbed.aws.regions import Place, place_of
from testbed.aws.sigv4 import Refused, Request

_NAMESPACE = f"https://sts.amazonaws.com/doc/{sts.API_VERSION}/"


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
        place = _place(request)
        signer = authenticate(request, accounts, place, now)
        call = Call(_parameters(request), signer, accounts, now)
        result = sts.perform(call)
    except Refused as refusal:
        return _refusal(refusal, request_id, as_json)
    return _answer(call.action, result, request_id, as_json)


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


def _place(request: Request) -> Place:
    place = place_of(request.header("host"))
    if place is None:
        raise Refused(403, "SignatureDoesNotMatch", f"No STS at host '{request.header('host')}'.")
    return place


def authenticate(
    request: Request, accounts: Accounts, place: Place, now: dt.datetime
) -> Credentials:
    """Return the credentials that signed the request. Raises Refused."""
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
    sigv4.check(request, signature, credentials.secret_key, place.scope, now)
    if credentials.expires and credentials.expires < now:
        raise Refused(403, "ExpiredToken", "The security token included in the request is expired")
    if credentials.throttled:
        raise throttling()
    return credentials


def _parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the API call. SDKs send them as the form of a POST."""
    if request.method == "POST" and request.body:
        return dict(urllib.parse.parse_qsl(request.body.decode(errors="replace"), True))
    return dict(request.parameters)


def _answer(action: str, result: Result, request_id: str, as_json: bool) -> Response:
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
