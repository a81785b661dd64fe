# SPDX-License-Identifier: Apache-2.0

"""Why an entry of the option is not applied, in the active status after its place."""

from __future__ import annotations

from statuses import mapping
from text import quoted

OTHER_PARTITION = mapping.OTHER_PARTITION


def KEEPS(problem: str, mapping: str) -> str:
    return f"{problem}; keeps {mapping}"


def NAME_KEPT(place: str, name: str) -> str:
    return f"{place} has a fault, and keeps the name {name}"


def ARN_TWICE(place: str) -> str:
    return f"{place} has the same ARN"


def ROLE_UNKNOWN() -> str:
    return "role unknown; log in once with this permission set, or set suffix"


def REFUSED(reason: str) -> str:
    return f"the cluster refuses it: {quoted(reason)}"


def FAILED(reason: str) -> str:
    return f"the cluster does not make it: {quoted(reason)}"


def ROLE_MISSING(kind: str, name: str) -> str:
    return f"there is no {kind} {name} yet"


def NAMESPACE_MISSING() -> str:
    return "there is no such namespace yet"
