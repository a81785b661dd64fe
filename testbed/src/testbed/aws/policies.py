"""IAM's identity-based policies, as far as a page of the docs writes them. Pure.

A policy with anything else is refused where it is put, so that no test passes by what is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from testbed.aws.sigv4 import Refused

Context = Mapping[str, Sequence[str]]
"""The values of a request by condition key. A key that the request has not is absent."""

Policy = Mapping[str, Any]

_Test = Callable[[Sequence[str], Sequence[str]], bool]


def _all_equal(asked: Sequence[str], allowed: Sequence[str]) -> bool:
    return all(value in allowed for value in asked)


def _equals(asked: Sequence[str], allowed: Sequence[str]) -> bool:
    return len(asked) == 1 and asked[0] in allowed


def _at_most(asked: Sequence[str], allowed: Sequence[str]) -> bool:
    return len(asked) == 1 and any(int(asked[0]) <= int(limit) for limit in allowed)


_TESTS: dict[str, _Test] = {
    "ForAllValues:StringEquals": _all_equal,
    "StringEquals": _equals,
    "NumericLessThanEquals": _at_most,
}


def parse(text: str) -> Policy:
    """Return a policy document. Raises Refused for one that this evaluation does not know."""
    try:
        policy: Policy = json.loads(text)
        known = all(_is_known(statement) for statement in policy["Statement"])
    except (ValueError, KeyError, TypeError, AttributeError):
        known, policy = False, {}
    if not known:
        message = "Syntax errors in policy, or more than the testbed knows."
        raise Refused(400, "MalformedPolicyDocument", message)
    return policy


def _is_known(statement: Mapping[str, Any]) -> bool:
    allows = statement["Effect"] == "Allow" and statement["Resource"] == "*"
    conditions = statement.get("Condition", {})
    keys = {"Effect", "Action", "Resource", "Condition"}
    return allows and statement.keys() <= keys and conditions.keys() <= _TESTS.keys()


def allow(policies: Iterable[Policy], action: str, context: Context) -> bool:
    """Return whether one of the policies allows an action."""
    return any(
        _allows(statement, action, context)
        for policy in policies
        for statement in policy["Statement"]
    )


def _allows(statement: Mapping[str, Any], action: str, context: Context) -> bool:
    if not any(fnmatchcase(action.lower(), name.lower()) for name in _list(statement["Action"])):
        return False
    return all(
        _holds(operator, key, _list(allowed), context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, allowed in keys.items()
    )


def _holds(operator: str, key: str, allowed: Sequence[str], context: Context) -> bool:
    """Return whether a condition holds. As with AWS, `ForAllValues` holds for an absent key."""
    if key not in context:
        return operator.startswith("ForAllValues:")
    return _TESTS[operator](context[key], allowed)


def _list(value: Any) -> Sequence[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
