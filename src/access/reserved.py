# SPDX-License-Identifier: Apache-2.0

"""Which Kubernetes users and groups the charm maps nobody to. Pure.

A mapping that somebody else made goes on working, whatever it names.

Sources: the rules of EKS for usernames of access entries, and aws-iam-authenticator v0.7.18
(``pkg/server``, ``renderTemplate``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from access import placeholders
from text import fill

# The groups to which the charm binds the rights that come with a mapping begin so.
OWN = "aws-iam:"
# Kubernetes' own components and ServiceAccounts have names of the first kind, AWS the others.
_PREFIXES = ("system:", "eks:", "aws:", "amazon:", "iam:")
# The authenticator would ask EC2, for which it has no credentials here: it refuses the login.
NODE_NAME = "{{EC2PrivateDNSName}}"
_PRINTABLE = re.compile("[ -~]*")
# Fields whose values people cannot choose, and values like theirs.
_FIXED = {"{{AccountID}}": "0" * 12, "{{AccessKeyID}}": "A" * 20}


def own_group(mapping: str) -> str:
    """Return the group that only the mapping of this name has."""
    return f"{OWN}{mapping}"


def may_be_own(group: str) -> bool:
    """Return whether a login can make a group of a mapping's own of ``group``."""
    head, colon, _ = group.partition(":")
    return bool(colon) and placeholders.can_become(fill(head, _FIXED), OWN.rstrip(":"))


def check(username: str, groups: Iterable[str]) -> None:
    """Raise ValueError if the charm maps nobody to this user or one of these groups.

    The error names what is wrong with it.
    """
    if prefix := next((each for each in _PREFIXES if username.startswith(each)), ""):
        raise ValueError(f"username begins with {prefix}, which is reserved: give another")
    groups = tuple(groups)
    if own := next(filter(may_be_own, groups), ""):
        raise ValueError(f"group {own[:40]!a} is reserved: {OWN} is for the rights of mappings")
    for what, name in (("username", username), *(("group", group) for group in groups)):
        if not _PRINTABLE.fullmatch(name):
            raise ValueError(f"{what} {name[:40]!a} has a character that is not printable ASCII")
        if NODE_NAME in name:
            raise ValueError(f"{what} has {NODE_NAME}, which no login gets here")
        if placeholders.has_unknown(name):
            raise ValueError(
                f"{what} {name[:40]!a} has {{{{…}}}} that no login fills in: the fields are "
                f"{', '.join(placeholders.FIELDS)}"
            )
        if name.startswith("system:") and "{{" in name:
            raise ValueError(
                f"{what} {name[:40]} may become any name of Kubernetes' own: a session called "
                "masters would be an administrator"
            )
