"""The API of STS: GetCallerIdentity, AssumeRole and GetWebIdentityToken."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from testbed.aws import federation
from testbed.aws.accounts import Credentials, Principal
from testbed.aws.call import Call, Result
from testbed.aws.regions import GLOBAL_STS
from testbed.aws.sigv4 import Refused

API_VERSION = "2011-06-15"

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_DEFAULT_DURATION = 3600
_SHORTEST_DURATION, _LONGEST_DURATION = 900, 43_200
_SHORTEST_TOKEN_SECONDS, _DEFAULT_TOKEN_SECONDS, _LONGEST_TOKEN_SECONDS = 60, 300, 3600
_MOST_AUDIENCES, _LONGEST_AUDIENCE = 10, 1000
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def perform(call: Call) -> Result:
    """Return the result of a call. Raises Refused."""
    if call.parameters.get("Version") == API_VERSION:
        if call.action == "GetCallerIdentity":
            return _caller_identity(call.caller)
        if call.action == "AssumeRole":
            return _assume_role(call)
        if call.action == "GetWebIdentityToken" and call.host != GLOBAL_STS:
            return _web_identity_token(call)
    raise call.unknown()


def _caller_identity(caller: Principal) -> Result:
    return {"Account": caller.account, "Arn": caller.arn, "UserId": caller.user_id}


def _assume_role(call: Call) -> Result:
    arn = call.parameters.get("RoleArn", "")
    session = call.parameters.get("RoleSessionName", "")
    if not _SESSION_NAME.fullmatch(session):
        raise Refused(400, "ValidationError", f"RoleSessionName '{session}' is not valid")
    expires = call.now + _duration(call.parameters.get("DurationSeconds", ""), call.caller)
    role = call.accounts.role(arn)
    if role is None or not role.trusts_principal(call.caller):
        raise Refused(
            403,
            "AccessDenied",
            f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: "
            f"{arn}",
        )
    given = call.accounts.assume(role, session, expires)
    return {"Credentials": _credentials(given), "AssumedRoleUser": _assumed(given.principal)}


def _web_identity_token(call: Call) -> Result:
    """Return a token that says whose call this is. Its session is in no claim.

    The limits are those of the API's reference. Tags are not known here.
    """
    audiences = [
        value for name, value in call.parameters.items() if name.startswith("Audience.member.")
    ]
    algorithm = call.parameters.get("SigningAlgorithm", "")
    seconds = call.parameters.get("DurationSeconds", "")
    _check_token_request(audiences, algorithm, seconds)
    context = {"sts:IdentityTokenAudience": audiences, "sts:SigningAlgorithm": [algorithm]}
    asked = {"sts:DurationSeconds": [seconds]} if seconds else {}
    call.authorize("sts:GetWebIdentityToken", {**context, **asked})
    issuer = call.accounts.federation(call.caller.account)
    if issuer is None:
        raise Refused(
            403,
            "OutboundWebIdentityFederationDisabledException",
            "The outbound web identity federation feature is not enabled for this account.",
        )
    expires = call.now + dt.timedelta(seconds=int(seconds or _DEFAULT_TOKEN_SECONDS))
    if call.signer.expires and expires > call.signer.expires:
        raise Refused(
            403,
            "SessionDurationEscalationException",
            "The requested token duration would extend the session beyond its original "
            "expiration time.",
        )
    subject = call.caller.role_arn or call.caller.arn
    token = federation.Token(
        subject, call.caller.account, call.region, audiences, call.now, expires
    )
    return {
        "WebIdentityToken": issuer.sign(token, algorithm),
        "Expiration": expires.strftime(_TIME_FORMAT),
    }


def _check_token_request(audiences: Sequence[str], algorithm: str, seconds: str) -> None:
    """Raise Refused for what the API's reference rules out."""
    if not (1 <= len(audiences) <= _MOST_AUDIENCES) or not all(
        1 <= len(audience) <= _LONGEST_AUDIENCE for audience in audiences
    ):
        raise _invalid("audience", f"{list(audiences)}")
    if algorithm not in federation.ALGORITHMS:
        raise _invalid("signingAlgorithm", algorithm)
    if seconds and not (
        seconds.isdecimal() and _SHORTEST_TOKEN_SECONDS <= int(seconds) <= _LONGEST_TOKEN_SECONDS
    ):
        raise _invalid("durationSeconds", seconds)


def _invalid(parameter: str, value: str) -> Refused:
    message = f"1 validation error detected: Value '{value}' at '{parameter}' failed to satisfy "
    return Refused(400, "ValidationError", f"{message}constraint")


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


def _credentials(given: Credentials) -> Result:
    assert given.expires is not None
    return {
        "AccessKeyId": given.access_key,
        "SecretAccessKey": given.secret_key,
        "SessionToken": given.token,
        "Expiration": given.expires.strftime(_TIME_FORMAT),
    }


def _assumed(principal: Principal) -> Result:
    return {"AssumedRoleId": principal.user_id, "Arn": principal.arn}
