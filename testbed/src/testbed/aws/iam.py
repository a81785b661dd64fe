"""The API of IAM: an account's outbound identity federation, and the policies of its roles.

Only an account's administrators may call it.
"""

from __future__ import annotations

from testbed.aws import policies
from testbed.aws.call import Call, Result
from testbed.aws.sigv4 import Refused

API_VERSION = "2010-05-08"


def perform(call: Call) -> Result:
    """Return the result of a call. Raises Refused."""
    perform = {
        "EnableOutboundWebIdentityFederation": _enable,
        "DisableOutboundWebIdentityFederation": _disable,
        "GetOutboundWebIdentityFederationInfo": _info,
        "PutRolePolicy": _put_role_policy,
        "DeleteRolePolicy": _delete_role_policy,
    }.get(call.action)
    if perform is None or call.parameters.get("Version") != API_VERSION:
        raise call.unknown()
    call.authorize(f"iam:{call.action}", {})
    return perform(call)


def _enable(call: Call) -> Result:
    if call.accounts.federation(call.caller.account):
        raise Refused(409, "FeatureEnabled", "Outbound identity federation is already enabled.")
    return {"IssuerIdentifier": call.accounts.enable_federation(call.caller.account).url}


def _disable(call: Call) -> Result:
    _info(call)
    call.accounts.disable_federation(call.caller.account)
    return {}


def _info(call: Call) -> Result:
    issuer = call.accounts.federation(call.caller.account)
    if issuer is None:
        raise Refused(404, "FeatureDisabled", "Outbound identity federation is not enabled.")
    return {"IssuerIdentifier": issuer.url, "JwtVendingEnabled": "true"}


def _put_role_policy(call: Call) -> Result:
    document = policies.parse(call.parameters.get("PolicyDocument", ""))
    _policies(call)[call.parameters.get("PolicyName", "")] = document
    return {}


def _delete_role_policy(call: Call) -> Result:
    name = call.parameters.get("PolicyName", "")
    if _policies(call).pop(name, None) is None:
        raise Refused(404, "NoSuchEntity", f"The role policy with name {name} cannot be found.")
    return {}


def _policies(call: Call) -> dict[str, policies.Policy]:
    """Return the policies of the role that the call names, to be changed."""
    name = call.parameters.get("RoleName", "")
    found = call.accounts.policies_of_role(call.caller.account, name)
    if found is None:
        raise Refused(404, "NoSuchEntity", f"The role with name {name} cannot be found.")
    return found
