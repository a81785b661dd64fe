# SPDX-License-Identifier: Apache-2.0

"""What the cluster has that decides about access: mappings and bindings.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
from lightkube.resources.rbac_authorization_v1 import ClusterRoleBinding, RoleBinding

from access.declaration.entry import is_object_name
from access.desired import Access, State
from access.mapping import IdentityMapping
from access.rights import RoleBinding as Binding
from access.subjects import OWN
from cluster import answers, api, objects
from cluster.api import SLOW_SECONDS
from cluster.errors import ApiError
from errors import Waiting
from labels import EXPIRES, OWNER, SOURCE
from owner import Owner
from statuses import waiting

if TYPE_CHECKING:
    from access.declaration.entry import Entry
    from access.permission_sets import PermissionSet

# How far back a look at the pods' log for a permission set reads: somebody may have been refused
# before the set was declared, and the hooks of an idle unit may be an hour apart.
LOG_SECONDS = 3600
POLL_SECONDS = 0.5


def access(client: api.Client, owner: Owner, *, newest: bool = False) -> Access:
    """Return all mappings, and the bindings that ``owner`` has made for them.

    They are as they were moments ago, or, by ``newest``, as they are now; that may cost the server
    more.
    """
    # A mapping is made before its bindings, so none of these comes without its own.
    bound = tuple(role_bindings(client, owner, newest=newest))
    return Access(tuple(mappings(client, newest=newest)), bound)


def needed(
    client: api.Client,
    found: Access,
    entries: Collection[Entry],
    partition: str,
) -> State:
    """Return what decides about the access that ``entries`` declare, beside that of ``found``.

    ``partition`` is the authenticator's.
    """
    sets = [entry.permission_set for entry in entries if entry.permission_set]
    return State(found, permission_set_roles(client, sets, found.mappings, partition))


def mappings(client: api.Client, *, newest: bool = False) -> list[IdentityMapping]:
    """Return every IAMIdentityMapping of the cluster, whoever made it, once its storage is ready.

    For about a second after the CRD came or changed, the server answers 429, and another of
    several servers 404.
    """
    deadline = time.monotonic() + SLOW_SECONDS
    while True:
        try:
            found = client.list(objects.mapping(), answers.Mapping, newest=newest)
            return list(map(_mapping, found))
        except ApiError as error:
            if error.code not in (404, 429):
                raise
        if time.monotonic() > deadline:
            raise Waiting(waiting.CRD_NOT_SERVED())
        time.sleep(POLL_SECONDS)


def mapping(client: api.Client, name: str) -> IdentityMapping | None:
    """Return the IAMIdentityMapping of this name as it is stored; None if there is none."""
    stored = client.get(objects.mapping(), name)
    return _mapping(msgspec.convert(stored, answers.Mapping)) if stored else None


def _mapping(found: answers.Mapping) -> IdentityMapping:
    metadata, spec, status = found.metadata, _map(found.spec), _map(found.status)
    groups: object = spec.get("groups") or []
    listed = cast("list[object]", groups) if isinstance(groups, list) else [None]
    names = tuple(each for each in listed if isinstance(each, str))
    is_readable = len(names) == len(listed)
    return IdentityMapping(
        name=metadata.name,
        arn=str(spec.get("arn") or ""),
        username=str(spec.get("username") or ""),
        canonical=str(status.get("canonicalARN") or ""),
        groups=names if is_readable else (),
        source=metadata.labels.get(SOURCE, ""),
        expires=metadata.annotations.get(EXPIRES, ""),
        is_readable=is_readable,
        created=metadata.creation_timestamp,
    )


def _map(part: Any) -> dict[str, Any]:
    """Return a part of a mapping; empty if it is no map, as before there was a schema."""
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def role_bindings(client: api.Client, owner: Owner, *, newest: bool = False) -> list[Binding]:
    """Return the bindings that ``owner`` has made for mappings, of the option and of grants.

    The label alone makes no binding the charm's. Without the owner's mark, it is a person's.
    """
    return [
        _binding(found)
        for resource in (ClusterRoleBinding, RoleBinding)
        for found in client.list(resource, answers.Binding, labels=SOURCE, newest=newest)
        if owner.owns(found.metadata.annotations.get(OWNER, ""))
        # Kubernetes lets anybody who may make a binding give it a name that no URL can have.
        and is_object_name(found.metadata.name)
    ]


def _binding(found: answers.Binding) -> Binding:
    metadata, role, subjects = found.metadata, found.role_ref, found.subjects or []
    only = subjects[0].name if len(subjects) == 1 and subjects[0].kind == "Group" else ""
    return Binding(
        name=metadata.name,
        namespace=metadata.namespace,
        role_kind=role.kind,
        role=role.name,
        group=only if only.startswith(OWN) else "",
        source=metadata.labels.get(SOURCE, ""),
        version=metadata.resource_version,
    )


def permission_set_roles(
    client: api.Client,
    sets: Sequence[PermissionSet],
    found: Sequence[IdentityMapping],
    partition: str,
) -> dict[PermissionSet, str]:
    """Return the ARN of each permission set's role, if nobody gave its suffix and it is known.

    The pods' log is read if such a set has no mapping yet, and only then: it costs one request for
    each pod. Nothing keeps the time of the last look, so looks overlap.
    """
    if all(wanted.suffix for wanted in sets):
        return {}
    from access import permission_sets, refusals
    from cluster import pod_logs

    known = permission_sets.learn(sets, (), found, partition)
    if all(wanted.suffix or wanted in known for wanted in sets):
        return known

    log = pod_logs.read(client, LOG_SECONDS)
    confirmed = refusals.confirmed(log.lines, log.since, log.end)
    return permission_sets.learn(sets, confirmed, found, partition)
