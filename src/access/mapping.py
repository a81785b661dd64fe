# SPDX-License-Identifier: Apache-2.0

"""An IAMIdentityMapping as the cluster has it. Pure."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re

from access import arn


@dataclasses.dataclass(frozen=True)
class IdentityMapping:
    """An IAMIdentityMapping as the cluster has it."""

    name: str
    arn: str
    username: str
    canonical: str  # Its ``status.canonicalARN``, the key that logins are looked up by; or empty.
    groups: tuple[str, ...] = ()
    # Which part of this charm made it, its label `SOURCE`; empty if a person did.
    source: str = ""
    expires: str = ""  # When the charm deletes it, its annotation `EXPIRES`, unchecked; or empty.
    # Why a grant let somebody in, in the operator's words, its annotation `REASON`.
    reason: str = ""
    # Whether its groups are a list of names: before the CRD had a schema, anything could be there.
    is_readable: bool = True
    # What is wanted says nothing of its UID.
    uid: str = dataclasses.field(default="", compare=False)

    @functools.cached_property
    def principal(self) -> str:
        """Return what its status should have: the canonical form of its ARN; or empty, if the
        authenticator refuses that."""
        return arn.canonical_or_empty(self.arn)


def name_of(principal: str) -> str:
    """Return the name of the mapping that the charm makes for ``principal``, a canonical ARN."""
    return name_for(principal, arn.parse(principal).name.rpartition("/")[2] or "root")


def name_for(key: str, visible: str, most: int = 40, digits: int = 10) -> str:
    """Return a name for an object that is always the same for ``key``, and no other key's.

    It shows the first letters of ``visible``, as many as ``most``.
    """
    words = re.sub(r"[^a-z0-9]+", "-", visible.lower()).strip("-")[:most].strip("-")
    return f"{words or 'x'}-{hashlib.sha256(key.encode()).hexdigest()[:digits]}"
