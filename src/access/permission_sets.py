# SPDX-License-Identifier: Apache-2.0

"""Permission sets of IAM Identity Center, and the roles that it provisions for them. Pure.

In each account where a permission set is assigned, Identity Center makes the role
``AWSReservedSSO_<permission set>_<16 hex digits>``. The digits are random, and change when the set
is provisioned again. Logins do not have the role's path.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from access.mapping import IdentityMapping
from access.partitions import PARTITIONS
from owner import OPTION

if TYPE_CHECKING:
    from access.refusals import Line

# What Identity Center accepts as a permission set's name.
_NAME = r"[\w+=,.@-]{1,32}"
_ACCOUNT = "[0-9]{12}"
_SUFFIX = "[0-9a-f]{16}"
_ROLE = re.compile(
    rf"arn:({'|'.join(PARTITIONS)}):iam::({_ACCOUNT}):role/AWSReservedSSO_({_NAME})_({_SUFFIX})",
    re.ASCII | re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class PermissionSet:
    """A permission set as an account has it.

    Raises:
        ValueError: a part of it is malformed; the error names the part.
    """

    name: str
    account: str
    suffix: str = ""  # The digits of its role's name, if a person gave them; or empty.

    def __post_init__(self) -> None:
        if not re.fullmatch(_NAME, self.name, re.ASCII):
            raise ValueError(
                f"{self.name!r} is not the name of a permission set "
                "(1 to 32 letters, digits or _+=,.@-)"
            )
        if not re.fullmatch(_ACCOUNT, self.account):
            raise ValueError(f"{self.account!r} is not an account of 12 digits")
        if self.suffix and not re.fullmatch(_SUFFIX, self.suffix):
            raise ValueError(f"{self.suffix!r} is not a suffix of 16 digits or letters a to f")

    def __str__(self) -> str:
        return f"{self.name}@{self.account}"

    def role_arn(self, partition: str) -> str:
        """Return the ARN of the set's role, for a mapping. The suffix must be known."""
        role = f"AWSReservedSSO_{self.name}_{self.suffix}"
        return f"arn:{partition}:iam::{self.account}:role/{role}"


def of_role(arn: str) -> PermissionSet | None:
    """Return the permission set of a role with its suffix, None for any other principal. The ARN
    may be spelt in any case: IAM has no two roles whose names differ in that alone."""
    match = _ROLE.fullmatch(arn)
    return PermissionSet(match[3], match[2], match[4].lower()) if match else None


def learn(
    sets: Iterable[PermissionSet],
    seen: Iterable[Line],
    found: Iterable[IdentityMapping],
    partition: str,
) -> dict[PermissionSet, str]:
    """Return the ARN of each set's role, where nobody gave its suffix and the role is known.

    The role is of ``partition``, the authenticator's: another has accounts of the same numbers,
    and its logins may be accepted too.

    It is the role that the charm has mapped; the option's mapping goes before a grant. Without
    one, the newest login that was ``seen`` decides, which AWS has confirmed.

    A person's mapping never decides: whoever may write mappings could make up the role. Nor does a
    login while a role is mapped: whoever may create roles in the account could take its rights.
    """
    ours = sorted((each for each in found if each.source), key=lambda each: each.source == OPTION)
    oldest_first = sorted(seen, key=lambda each: each.time)
    roles = dict[PermissionSet, str]()
    # The last one of a set counts.
    for each in (*oldest_first, *ours):
        role = of_role(each.arn)
        # As AWS spells it.
        if role and role.role_arn(partition) == each.arn:
            roles[dataclasses.replace(role, suffix="")] = each.arn
    return {wanted: roles[wanted] for wanted in sets if wanted in roles}
