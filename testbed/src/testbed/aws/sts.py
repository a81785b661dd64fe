"""The API of STS: GetCallerIdentity and AssumeRole."""

from __future__ import annotations

import datetime as dt
import re

from testbed.aws.accounts import Credentials, Principal
from testbed.aws.call import Call, Result
from testbed.aws.sigv4 import Refused

API_VERSION = "2011-06-15"

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_DEFAULT_DURATION = 3600
_SHORTEST_DURATION, _LONGEST_DURATION = 900, 43_200
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def perform(call: Call) -> Result:
    """Return the result of a call. Raises Refused."""
    if call.parameters.get("Version") == API_VERSION:
        if call.action == "GetCallerIdentity":
            return _caller_identity(call.caller)
        if call.action == "AssumeRole":
            return _assume_role(call)
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
