# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a mapping, in the active status after its name."""

from __future__ import annotations

from statuses.text import Text

ROLE_PATH = Text(
    "no login has a role path; map {arn} instead",
    means="AWS gives a login the ARN of its role without the path, so this mapping never matches.",
    do="Create the mapping again with the ARN that the status gives, and delete this one. An "
    "`arn` cannot be edited.",
)
DUPLICATE = Text(
    "same ARN as mapping {name}; delete one of them",
    means="Two mappings name the same principal. The authenticator uses any of them, so nobody "
    "can tell which user it becomes.",
    do="Delete one of them.",
)
DUPLICATE_OF_DECLARED = Text(
    "same ARN as declared mapping {declared}; run: kubectl delete iamidentitymapping {name}",
    means="Somebody made another mapping of a principal that the option `mappings` declares. "
    "Both stay, and the authenticator uses either, at random.",
    do="Run the command. See [When somebody else maps the same "
    "principal](../how-to/declare-who-may-log-in.md#when-somebody-else-maps-the-same-principal).",
)
GROUPS_INVALID = Text(
    "groups is not a list of names; delete the mapping, and create it again",
    means="The mapping is from before the CRD had a schema. While it is there, the "
    "authenticator may read no mapping at all.",
    do="Delete the mapping, and create it again with a list of groups.",
)
PLACEHOLDER_UNKNOWN = Text(
    "{{{{EC2PrivateDNSName}}}} is filled in for no login here; take it out",
    means="The authenticator would ask EC2 for this name, and has no credentials for that. It "
    "refuses the login.",
    do="Take it out: `kubectl edit iamidentitymapping NAME`.",
)
USERNAME_EMPTY = Text(
    "the username is empty; set spec.username",
    means="The mapping gives its principal no Kubernetes user.",
    do="Set it: `kubectl edit iamidentitymapping NAME`.",
)
OTHER_PARTITION = Text(
    "no login has partition {partition}, because the option partition is {option}",
    means="The authenticator accepts logins of one AWS partition, and this principal is in "
    "another.",
    do="Correct the ARN, or set the option `partition`.",
    shown="no login has partition <partition>, because the option partition is <partition>",
)
NOT_AN_ARN = Text(
    "{arn!r} is not an ARN such as arn:aws:iam::111122223333:role/admin",
    means="The mapping's `arn` is not an ARN.",
    do="Create the mapping again with the ARN of an IAM user or role.",
)
PARTITION_UNKNOWN = Text(
    "{arn!r} has no known partition ({partitions})",
    means="The second part of the ARN is not an AWS partition.",
    do="Create the mapping again. The partition is `aws` for most accounts.",
)
PARTITION_OR_SERVICE = Text(
    "{arn!r} must start with arn:{partition}:{service}::",
    means="The ARN has a region, and IAM principals have none.",
    do="Create the mapping again without it.",
)
SERVICE_UNKNOWN = Text(
    "{arn!r} must start with arn:{partition}:iam:: or arn:{partition}:sts::",
    means="The ARN is of another AWS service. Only IAM principals log in.",
    do="Create the mapping again with the ARN of an IAM user or role.",
)
NO_ACCOUNT = Text(
    "{arn!r} has no account of 12 digits",
    means="The account in the ARN is not a number of 12 digits.",
    do="Create the mapping again with the account's id.",
)
KIND_UNKNOWN = Text(
    "{arn!r} must name one of: {kinds}",
    means="The ARN names something that cannot log in, such as a group or a policy.",
    do="Create the mapping again with the ARN of an IAM user or role.",
)
NAME_INVALID = Text(
    "{arn!r} has no valid {kind} name",
    means="The name has a character that IAM does not allow, or is missing. A wildcard such as "
    "`*` is not allowed either.",
    do="Create the mapping again with the name as IAM shows it.",
)
NO_SESSION = Text(
    "{arn!r} must end with /<role>/<session>",
    means="The ARN of an assumed role must name a session too.",
    do="Map the role itself: `arn:aws:iam::<account>:role/<role>`.",
    shown="<ARN> must end with /<role>/<session>",
)
EXPIRY_INVALID = Text(
    "annotation aws-iam/expires: {problem}",
    means="The annotation is not a time, so the access does not end.",
    do="Write a time such as `2026-12-31T18:00:00Z`. See [Let any mapping "
    "end](../how-to/temporary-access.md#let-any-mapping-end).",
    shown="annotation aws-iam/expires: <what is wrong>",
)
EXPIRED = Text(
    "its access ended at {time}, and the cluster keeps the mapping",
    means="The charm could not delete the mapping, for example because a policy or a finalizer "
    "of others keeps it. The person still gets in.",
    do="Delete the mapping, or lift what keeps it.",
)
STATUS_REFUSED = Text(
    "the cluster refuses its status: {reason}",
    means="A webhook or a policy refuses the field by which the authenticator finds the mapping.",
    do="Lift the policy that the reason names.",
)
GROUP_RESERVED = Text(
    "group {group} is for the rights of mapping {name}; take it out",
    means="Somebody gave this mapping the group of another one, and with it the rights that come "
    "with that mapping.",
    do="Take it out: `kubectl edit iamidentitymapping NAME`. On Kubernetes 1.30 and newer, "
    "whoever wrote this may impersonate that group.",
)
