# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""IAMIdentityMapping in the cluster: its CRD, and the objects that people make of it.

Call every function inside `api.errors_as_status`.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, cast

from access.mappings import IdentityMapping
from cluster import api, manifests, objects
from cluster.mappings import batch
from errors import Waiting

POLL_SECONDS = 0.5
# What the charm reads of a mapping: columns of the CRD, which `kubectl get -o wide` prints.
COLUMNS = {
    "Name",
    "ARN",
    "Username",
    "Groups",
    "Canonical ARN",
    "Source",
    "Expires",
    "Permission set",
    "Created",
}
# The first minor version that lets people write stored objects which break a new rule.
RATCHETING_SINCE = (1, 30)
_NOT_SERVED = "waiting for the Kubernetes API to serve IAMIdentityMapping"
_MINOR = re.compile(r"v(\d+)\.(\d+)")


def apply_crd(client: api.Client, partition: str, *, strict: bool) -> None:
    """Apply the CRD, and wait until it is there. ``strict`` is for a server that `ratchets`."""
    from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

    manifest = manifests.crd(strict=strict, partition=partition)
    crd = objects.apply(client, manifest)
    deadline = time.monotonic() + api.ANSWER_SECONDS
    while not _established(crd):
        if time.monotonic() > deadline:
            raise Waiting(_NOT_SERVED)
        time.sleep(POLL_SECONDS)
        crd = client.get(CustomResourceDefinition, manifest["metadata"]["name"])


def is_served(client: api.Client) -> bool:
    """Return whether the cluster has the CRD, and serves its objects."""
    from lightkube import ApiError
    from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

    try:
        return _established(client.get(CustomResourceDefinition, manifests.CRD))
    except ApiError as error:
        if error.status.code != 404:
            raise
        return False


def _established(crd: api.Object) -> bool:
    status: api.Object = crd.get("status") or {}
    conditions: list[api.Object] = status.get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def ratchets(client: api.Client) -> bool:
    """Return whether the server accepts writes of stored objects that break a new rule.

    It has validating admission policies since the same version.

    A node's kubelet is never newer than the server, so its version errs on the safe side.
    """
    node = client.first_node()
    version = _MINOR.match(node.status.node_info.kubelet_version) if node else None
    return bool(version) and (int(version[1]), int(version[2])) >= RATCHETING_SINCE


def find(client: api.Client, *, newest: bool = False) -> list[IdentityMapping]:
    """Return every IAMIdentityMapping of the cluster, as it is, or as it was moments ago.

    ``newest`` leaves none out that there is; it may cost the server more.
    """
    return [
        IdentityMapping(
            name=row["Name"] or "",
            arn=row["ARN"] or "",
            username=row["Username"] or "",
            canonical=row["Canonical ARN"] or "",
            groups=(groups := _groups(row["Groups"])) or (),
            source=row["Source"] or "",
            expires=row["Expires"] or "",
            is_readable=groups is not None,
            permission_set=row["Permission set"] or "",
            created=row["Created"] or "",
        )
        for row in _rows(client, newest)
    ]


def _groups(cell: str | None) -> tuple[str, ...] | None:
    """Return the groups in a cell, which the server writes as JSON; None if they are no list of
    names, as a mapping from before there was a schema may have."""
    import msgspec

    try:
        return tuple(msgspec.json.decode(cell, type=list[str])) if cell else ()
    except msgspec.MsgspecError:
        return None


def _rows(client: api.Client, newest: bool) -> list[dict[str, str | None]]:
    """Return the table of the objects once the server has their storage and columns ready.

    For about a second after the CRD came or changed, the server answers 429, and another of
    several servers 404, or with the columns of the former CRD.
    """
    import httpx2

    deadline = time.monotonic() + api.ANSWER_SECONDS
    while True:
        try:
            rows = client.table(kind(), newest=newest)
            if not all(row.get("Name") for row in rows):
                raise Waiting(api.NOT_KUBERNETES)
            if not rows or rows[0].keys() >= COLUMNS:
                return rows
        except httpx2.HTTPStatusError as error:
            if error.response.status_code not in (404, 429):
                raise
        if time.monotonic() > deadline:
            raise Waiting(_NOT_SERVED)
        time.sleep(POLL_SECONDS)


def write_canonical_arns(
    client: api.Client,
    found: Iterable[IdentityMapping],
    corrections: Mapping[str, str],
    seconds: float,
) -> batch.Written:
    """Write ``status.canonicalARN`` of the mappings in ``corrections`` (name → value).

    The authenticator does so too, five a second; this makes new mappings work at once. No
    request begins after ``seconds``. Return what became of them, each under its mapping's name.
    """
    if not corrections:
        return batch.Written()
    arns = {mapping.name: mapping.arn for mapping in found}
    changes = {
        name: functools.partial(write_canonical_arn, client, name, arns[name], canonical)
        for name, canonical in corrections.items()
    }
    written = batch.write(changes, seconds)
    refused = {
        name: f"the cluster refuses its status: {reason}"
        for name, reason in written.refused.items()
    }
    return dataclasses.replace(written, refused=refused)


def write_canonical_arn(client: api.Client, name: str, arn: str, canonical: str) -> None:
    """Write one ``status.canonicalARN``, unless the mapping no longer has the ARN ``arn``."""
    client.edit(
        kind().Status,
        name,
        [
            {"op": "test", "path": "/spec/arn", "value": arn},
            {"op": "add", "path": "/status", "value": {"canonicalARN": canonical}},
        ],
    )


def write_first_canonical_arn(
    client: api.Client, created: Mapping[str, Any], arn: str, canonical: str
) -> None:
    """Write ``status.canonicalARN`` of a mapping of ``arn`` as the server ``created`` it.

    To replace the status costs the server a fifth less for each new mapping than to patch it.
    Patch it if the mapping has changed since: the authenticator may write the status too.
    """
    import lightkube

    metadata = created["metadata"]
    version = {key: metadata[key] for key in ("name", "resourceVersion")}
    if created["spec"]["arn"] == arn:
        status = {**created, "metadata": version, "status": {"canonicalARN": canonical}}
        try:
            return client.replace(kind().Status, metadata["name"], status)
        except lightkube.ApiError as error:
            if error.response.status_code != 409:
                raise
    return write_canonical_arn(client, metadata["name"], arn, canonical)


@functools.cache
def kind() -> Any:
    """Return the class that lightkube has for IAMIdentityMapping."""
    from lightkube import generic_resource

    return cast("Any", generic_resource).create_global_resource(
        "iamauthenticator.k8s.aws", "v1alpha1", "IAMIdentityMapping", "iamidentitymappings"
    )
