# SPDX-License-Identifier: Apache-2.0

"""The IAMIdentityMappings that the charm makes: those that the option `mappings` declares.

`delete_all` also deletes those of the action `grant-access`.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from typing import Any

from access.declaration import plan
from access.declaration.declared import Entry
from cluster import api, manifests
from cluster.crd import kind
from cluster.mappings import batch
from cluster.mappings.canonical import write_first
from labels import GRANT, OPTION, SOURCE
from owner import Owner
from statuses import entry as entry_texts

# How many mappings one request deletes: the server takes a second or two for them.
PAGE = 500
_GRANTED, _DECLARED = f"{SOURCE}={GRANT}", f"{SOURCE}={OPTION}"


def apply(client: api.Client, owner: Owner, changes: plan.Plan, seconds: float) -> batch.Written:
    """Make ``changes``; no request begins after ``seconds``.

    Delete first what the option no longer declares, so that nobody keeps access meanwhile. Return
    what became of them, each under its entry's place.
    """
    if changes.delete and not any(mapping.source == OPTION for mapping in changes.after):
        complete = _delete(client, _DECLARED, time.monotonic() + seconds)
        total = len(changes.delete)
        return batch.Written(done=total) if complete else batch.Written(pending=total)
    make: dict[str, batch.Change] = {
        f"mapping {name}": functools.partial(_delete_one, client, name) for name in changes.delete
    }
    for entry in changes.update:
        make[entry.place] = functools.partial(_update, client, owner, entry)
    for former, entry in changes.create:
        make[entry.place] = functools.partial(_create, client, owner, entry, former)
    written = batch.write(make, seconds)
    refused = {
        place: entry_texts.REFUSED(reason=reason) for place, reason in written.refused.items()
    }
    # The next hook plans anew what no longer fits.
    pending = written.pending + written.outdated
    return dataclasses.replace(written, pending=pending, outdated=0, refused=refused)


def delete_all(client: api.Client, seconds: float) -> bool:
    """Delete all mappings that the charm made, also by its actions.

    Grants go first: an application that is deployed later deletes what no option declares, and
    keeps grants. Return whether all are gone; no request begins after ``seconds``.
    """
    import httpx2

    deadline = time.monotonic() + seconds
    try:
        return all(_delete(client, each, deadline) for each in (_GRANTED, _DECLARED))
    except httpx2.HTTPStatusError as error:
        # Without the CRD, there are no mappings.
        if error.response.status_code != 404:
            raise
        return True


def _delete(client: api.Client, selector: str, deadline: float) -> bool:
    """Delete the mappings with these labels; return whether there was time for all."""
    import httpx2

    params = {"labelSelector": selector, "limit": str(PAGE)}
    try:
        while time.monotonic() < deadline:
            following = client.delete_collection(kind(), params)
            if not following:
                return True
            params["continue"] = following
    except httpx2.TimeoutException:
        # Some of them may be gone.
        return False
    return False


def _delete_one(client: api.Client, name: str) -> None:
    """Delete one mapping, unless it is no longer the option's."""
    params = {"fieldSelector": f"metadata.name={name}", "labelSelector": _DECLARED}
    client.delete_collection(kind(), params)


def _update(client: api.Client, owner: Owner, entry: Entry) -> None:
    """Change one mapping to what ``entry`` declares, unless it has another ARN by now."""
    manifest = _manifest(owner, entry)
    metadata, spec = manifest["metadata"], manifest["spec"]
    edits = {
        "/metadata/labels": metadata["labels"],
        "/metadata/annotations": metadata["annotations"],
        "/spec/username": spec["username"],
        "/spec/groups": spec["groups"],
    }
    operations: list[dict[str, Any]] = [
        {"op": "test", "path": "/spec/arn", "value": spec["arn"]},
        *({"op": "add", "path": path, "value": value} for path, value in edits.items()),
    ]
    client.patch(kind(), entry.name, operations, small=True)


def _create(client: api.Client, owner: Owner, entry: Entry, former: str) -> None:
    """Create one mapping with its status: the authenticator writes that of five a second.

    The mapping ``former`` goes first, if there is one, because an ARN cannot change.
    """
    if former:
        _delete_one(client, former)
    created = client.create(kind(), _manifest(owner, entry))
    write_first(client, created, entry.arn, entry.principal)


def _manifest(owner: Owner, entry: Entry) -> manifests.Manifest:
    permission_set = str(entry.permission_set or "")
    return manifests.identity_mapping(owner, plan.mapping_of(entry), permission_set)
