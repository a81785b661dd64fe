# SPDX-License-Identifier: Apache-2.0

"""The role that comes with a grant: it is bound when access is granted, and goes with the mapping.

Hooks leave these bindings alone: nothing but the parameters of the action says what was granted,
and what somebody writes on a mapping must not give rights.
"""

from __future__ import annotations

import functools
from collections.abc import Collection

from access import reserved, rights
from access.rights import Right, RoleBinding
from cluster import api, role_bindings
from cluster.mappings import batch
from errors import Blocked
from labels import GRANT
from owner import Owner


def check(client: api.Client, granted: Collection[Right]) -> None:
    """Check that the cluster has what is granted.

    Raises:
        ValueError: a role or a namespace is missing.
    """
    if not granted:
        return
    there = role_bindings.roles(client, namespaced=False)
    for right in granted:
        if ("", right.role) not in there:
            raise ValueError(f"there is no ClusterRole {right.role}")
    wanted = {namespace for right in granted for namespace in right.namespaces}
    if missing := wanted and wanted - role_bindings.namespaces(client):
        raise ValueError(f"there is no namespace {min(missing)}")


def take_back(client: api.Client, owner: Owner, mapping: str, granted: Collection[Right]) -> None:
    """Delete what an earlier grant bound to the mapping, and this one does not."""
    keys = {binding.key for _, binding in rights.bindings(mapping, "", granted, GRANT)}
    for binding in rights.undeclared(_found(client, owner, mapping), keys, ()):
        role_bindings.delete(client, binding)


def give(
    client: api.Client, owner: Owner, mapping: str, uid: str, granted: Collection[Right]
) -> None:
    """Bind what is granted to the group of the mapping's own.

    Raises:
        errors.Blocked: the cluster refuses it, or there was no time for all.
    """
    wanted = dict(rights.bindings(mapping, uid, granted, GRANT))
    found = _found(client, owner, mapping) if wanted else []
    make = rights.to_make(wanted, found)
    written = batch.write(
        {
            place: functools.partial(role_bindings.make, client, owner, binding, anew=anew)
            for place, (binding, anew) in make.items()
        },
        client.seconds_left_to_write,
    )
    for place, reason in written.refused.items():
        raise Blocked(f"mapping {mapping} is there without its {place}: {reason}")
    if written.pending or written.outdated:
        raise Blocked(f"mapping {mapping} is there without all of its role, run this again")


def _found(client: api.Client, owner: Owner, mapping: str) -> list[RoleBinding]:
    group = reserved.own_group(mapping)
    return [each for each in role_bindings.find(client, owner) if each.group == group]
