# SPDX-License-Identifier: Apache-2.0

"""The definition of IAMIdentityMapping: apply it, and wait until the server has it.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import time

from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

from cluster import api, manifests, objects, references
from cluster.api import SLOW_SECONDS
from errors import Waiting
from statuses import waiting

POLL_SECONDS = 0.5
# The first minor version that lets people write stored objects which break a new rule.
RATCHETING_SINCE = (1, 30)


def apply(client: api.Client, partition: str, *, strict: bool) -> None:
    """Apply the CRD, and wait until it is there. ``strict`` is for a server that `ratchets`."""
    manifest = manifests.crd(strict=strict, partition=partition)
    crd: api.Object | None = objects.apply(client, manifest)
    deadline = time.monotonic() + SLOW_SECONDS
    while not _established(crd):
        if time.monotonic() > deadline:
            raise Waiting(waiting.CRD_NOT_SERVED())
        time.sleep(POLL_SECONDS)
        crd = client.get(CustomResourceDefinition, manifest["metadata"]["name"])


def is_served(client: api.Client) -> bool:
    """Return whether the cluster has the CRD, and serves its objects."""
    return _established(client.get(CustomResourceDefinition, references.CRD))


def _established(crd: api.Object | None) -> bool:
    if not crd:
        return False
    status: api.Object = crd.get("status") or {}
    conditions: list[api.Object] = status.get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def ratchets(client: api.Client) -> bool:
    """Return whether the server accepts writes of stored objects that break a new rule.

    It has validating admission policies since the same version.
    """
    return client.version >= RATCHETING_SINCE
