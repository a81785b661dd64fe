# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a mapping, in the active status after its name."""

from __future__ import annotations

from text import quoted


def ROLE_PATH(arn: str) -> str:
    return f"no login has a role path; map {arn} instead"


def DUPLICATE(name: str) -> str:
    return f"same ARN as mapping {name}; delete one of them"


def DUPLICATE_OF_DECLARED(declared: str, name: str) -> str:
    return (
        f"same ARN as declared mapping {declared}; run: kubectl delete iamidentitymapping {name}"
    )


def GROUPS_INVALID() -> str:
    return "groups is not a list of names; delete the mapping, and create it again"


def PLACEHOLDER_UNKNOWN() -> str:
    return "{{EC2PrivateDNSName}} is not supported; remove it"


def USERNAME_EMPTY() -> str:
    return "the username is empty; set spec.username"


def OTHER_PARTITION(partition: str, option: str) -> str:
    return f"no login has partition {partition}, because the option partition is {option}"


def NOT_AN_ARN(arn: str) -> str:
    return f"{quoted(arn)} is not an ARN such as arn:aws:iam::111122223333:role/admin"


def PARTITION_UNKNOWN(arn: str, partitions: str) -> str:
    return f"{quoted(arn)} has no known partition ({partitions})"


def SERVICE_UNKNOWN(arn: str, partition: str) -> str:
    return f"{quoted(arn)} must start with arn:{partition}:iam:: or arn:{partition}:sts::"


def NO_ACCOUNT(arn: str) -> str:
    return f"{quoted(arn)} has no account of 12 digits"


def KIND_UNKNOWN(arn: str, kinds: str) -> str:
    return f"{quoted(arn)} must name one of: {kinds}"


def NAME_INVALID(arn: str, kind: str) -> str:
    return f"{quoted(arn)} has no valid {kind} name"


def NO_SESSION(arn: str) -> str:
    return f"{quoted(arn)} names no role; map the role itself"


def EXPIRY_INVALID(problem: object) -> str:
    return f"annotation aws-iam/expires: {problem}"


def EXPIRED(time: str) -> str:
    return f"expired at {time}, and still lets people in"


def ROLE_GONE() -> str:
    return "no binding is left of its role; grant access again"


def STATUS_REFUSED(reason: str) -> str:
    return f"the cluster refuses its status: {quoted(reason)}"


def STATUS_FAILED(reason: str) -> str:
    return f"the cluster does not write its status: {quoted(reason)}"


def GROUP_RESERVED(group: str, name: str) -> str:
    return f"group {quoted(group)} is for the rights of mapping {quoted(name)}; remove it"
