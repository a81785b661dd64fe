# SPDX-License-Identifier: Apache-2.0

"""Why an entry of the option is not applied, in the active status after its place."""

from __future__ import annotations

from statuses import mapping
from statuses.text import Text

ARN_TWICE = Text(
    "{place} has the same ARN",
    means="An earlier entry names the same principal. That one is in effect.",
    do="Take one of them out.",
)
NAME_TAKEN = Text(
    "name {name} is taken; if unused, run: kubectl delete iamidentitymapping {name}",
    means="Somebody else made a mapping of this name, for another principal. The option leaves "
    "it alone.",
    do="Give the entry another `name`, or run the command.",
)
ROLE_UNKNOWN = Text(
    "role unknown; log in once with this permission set, or set suffix",
    means="The charm learns the role's suffix from the first login that is refused.",
    do="Wait, or [give the suffix](../how-to/permission-sets.md#let-nobody-be-refused).",
)
OTHER_PARTITION = mapping.OTHER_PARTITION
REFUSED = Text(
    "the cluster refuses it: {reason}",
    means="An admission policy refuses the mapping or a binding of its `access`, or the rules of "
    "the CRD or of RBAC do.",
    do="Correct the entry, or lift the policy that the reason names.",
)
ROLE_MISSING = Text(
    "there is no {kind} {name} yet",
    means="The entry's `access` names a role that the cluster does not have. The mapping works, "
    "and its other roles count.",
    do="Create the role, and it counts at once; or correct the entry.",
)
NAMESPACE_MISSING = Text(
    "there is no such namespace yet",
    means="The entry's `access` names a namespace that the cluster does not have. The mapping "
    "works, and its other roles count.",
    do="Create the namespace. The role counts after the unit's next hook. Or correct the entry.",
)
