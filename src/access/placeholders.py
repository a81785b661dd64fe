# SPDX-License-Identifier: Apache-2.0

"""The fields that usernames and groups of a mapping may hold. Pure.

Source: aws-iam-authenticator v0.7.18 (``pkg/server``, ``renderTemplate``).
"""

from __future__ import annotations

import re

from access.arn import Principal

# What a login fills in here.
FIELDS = ("{{AccountID}}", "{{SessionName}}", "{{SessionNameRaw}}", "{{AccessKeyID}}")
_FIELD = re.compile(
    r"\{\{(?:EC2PrivateDNSName|AccountID|SessionName|SessionNameRaw|AccessKeyID)\}\}"
)


def known(principal: Principal) -> dict[str, str]:
    """Return what is known of a login as ``principal``: the fields' values by their names.

    A role's session is known if ``principal`` is an assumed role. Other principals have none.
    """
    fields = {"{{AccountID}}": principal.account}
    if principal.kind == "role":
        return fields
    session = principal.name.rpartition("/")[2] if principal.kind == "assumed-role" else ""
    return {
        **fields,
        "{{SessionName}}": session.replace("@", "-"),
        "{{SessionNameRaw}}": session,
    }


def is_open(text: str) -> bool:
    """Return whether ``text`` has fields whose values only a login has."""
    return "{{" in text and bool(_FIELD.search(text))


def has_unknown(text: str) -> bool:
    """Return whether ``text`` has a field that the authenticator does not know, and so leaves as
    it is: everybody would share that name."""
    return "{{" in _FIELD.sub("", text)


def beginning(text: str) -> str:
    """Return how all names begin that ``text`` can become."""
    return _FIELD.split(text, 1)[0]


def can_become(text: str, name: str) -> bool:
    """Return whether a login can make ``name`` of ``text``. No field's value has a colon.

    People choose how many fields ``text`` has. A regular expression would try every length of each
    field, so this looks for the parts between the fields, each behind the part before it.
    """
    first, *inner = _FIELD.split(text)
    if not inner:
        return name == text
    if sum(part.count(":") for part in (first, *inner)) != name.count(":"):
        return False
    last = inner.pop()
    at, end = len(first), len(name) - len(last)
    if at > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for part in inner:
        if (found := name.find(part, at, end)) < 0:
            return False
        at = found + len(part)
    return True
