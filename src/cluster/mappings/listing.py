# SPDX-License-Identifier: Apache-2.0

"""All IAMIdentityMappings of the cluster, whoever made them.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import time

from access.mapping import IdentityMapping
from cluster import api
from cluster.crd import POLL_SECONDS, kind
from cluster.deadline import ANSWER_SECONDS
from errors import Waiting
from statuses import waiting

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
    "UID",
}


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
            uid=row["UID"] or "",
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

    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            rows = client.table(kind(), newest=newest)
            if not all(row.get("Name") for row in rows):
                raise Waiting(waiting.NOT_KUBERNETES())
            if not rows or rows[0].keys() >= COLUMNS:
                return rows
        except httpx2.HTTPStatusError as error:
            if error.response.status_code not in (404, 429):
                raise
        if time.monotonic() > deadline:
            raise Waiting(waiting.CRD_NOT_SERVED())
        time.sleep(POLL_SECONDS)
