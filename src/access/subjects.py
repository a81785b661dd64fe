# SPDX-License-Identifier: Apache-2.0

"""Users and groups of mappings: fields that a login fills in, and reserved names. Pure.

A mapping that somebody else made goes on working, whatever it names.

Source: aws-iam-authenticator v0.7.18 (``pkg/server``, ``renderTemplate``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from access.arn import Principal
from text import fill

# What a login fills in here.
FIELDS = ("{{AccountID}}", "{{SessionName}}", "{{SessionNameRaw}}", "{{AccessKeyID}}")
_FIELD = re.compile(
    r"\{\{(?:EC2PrivateDNSName|AccountID|SessionName|SessionNameRaw|AccessKeyID)\}\}"
)
# The groups to which the charm binds the rights that come with a mapping begin so.
OWN = "aws-iam:"
# Kubernetes' own components and ServiceAccounts have names that begin so.
_SYSTEM = "system:"
# The authenticator would ask EC2, for which it has no credentials here: it refuses the login.
NODE_NAME = "{{EC2PrivateDNSName}}"
_PRINTABLE = re.compile("[ -~]*")
# Fields whose values people cannot choose, and values like theirs.
_FIXED = {"{{AccountID}}": "0" * 12, "{{AccessKeyID}}": "A" * 20}


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


def own_group(mapping: str) -> str:
    """Return the group that only the mapping of this name has."""
    return f"{OWN}{mapping}"


def may_be_own(group: str) -> bool:
    """Return whether a login can make a group of a mapping's own of ``group``."""
    head, colon, _ = group.partition(":")
    return bool(colon) and can_become(fill(head, _FIXED), OWN.rstrip(":"))


def check(username: str, groups: Iterable[str]) -> None:
    """Raise ValueError if the charm maps nobody to this user or one of these groups.

    The error names what is wrong with it.
    """
    if username.startswith(_SYSTEM):
        raise ValueError(f"username begins with {_SYSTEM}, which is reserved: give another")
    groups = tuple(groups)
    if own := next(filter(may_be_own, groups), ""):
        raise ValueError(f"group {own[:40]!a} is reserved: {OWN} is for the rights of mappings")
    for what, name in (("username", username), *(("group", group) for group in groups)):
        if not _PRINTABLE.fullmatch(name):
            raise ValueError(f"{what} {name[:40]!a} has a character that is not printable ASCII")
        if NODE_NAME in name:
            raise ValueError(f"{what} has {NODE_NAME}, which no login gets here")
        # The authenticator leaves a field that it does not know: everybody would share the name.
        if "{{" in _FIELD.sub("", name):
            raise ValueError(
                f"{what} {name[:40]!a} has {{{{…}}}} that no login fills in: the fields are "
                f"{', '.join(FIELDS)}"
            )
        if name.startswith(_SYSTEM) and "{{" in name:
            raise ValueError(
                f"{what} {name[:40]} may become any name of Kubernetes' own: a session called "
                "masters would be an administrator"
            )
