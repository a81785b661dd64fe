# SPDX-License-Identifier: Apache-2.0

"""The endpoint ``receive-ca-cert``: authorities that the pods trust besides the image's own.

It speaks version 1 of the interface certificate_transfer. The interface's library would read one
field for us, logs a malformed one whole, and raises where one is nested deeply.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, cast

import ops

from certificates import ca_bundle, certificates
from errors import Waiting
from statuses import active, waiting
from text import counted

ENDPOINT = "receive-ca-cert"
# The ConfigMap that holds them has room for 1 MiB.
MAX_BYTES = 512 * 1024


@dataclasses.dataclass(frozen=True)
class Trust:
    """What the providers sent."""

    authorities: str = ""  # The certificates that can be used, each once and sorted, as PEM.
    remark: str = ""  # What the operator should know of the others; empty where there are none.


def receive(charm: ops.CharmBase) -> Trust:
    """Return what the providers sent. Leader only: it tells them which version it reads. Raise
    `errors.Waiting` if this unit no longer leads."""
    accepted: dict[str, None] = {}
    remarks: list[str] = []
    room = MAX_BYTES
    for relation in charm.model.relations[ENDPOINT]:
        # Its library takes long to import.
        from certificates import x509

        _announce_version(relation.data[charm.app])
        unusable = 0
        for text in _sent(relation):
            blocks = certificates(text) if isinstance(text, str) else []
            for block in blocks or [""]:
                if block in accepted:
                    continue
                if len(block) > room or not x509.is_readable(block):
                    unusable += 1
                    continue
                accepted[block] = None
                room -= len(block)
        if unusable:
            number, sender = counted(unusable, "certificate"), relation.app.name
            remarks.append(active.CAS_UNUSABLE(certificates=number, application=sender))
    return Trust(ca_bundle(*accepted), ", ".join(remarks))


def _announce_version(own: ops.RelationDataContent) -> None:
    if own.get("version") == "1":
        return
    try:
        own.update({"version": "1"})
    except (ops.RelationDataError, ops.ModelError) as error:
        raise Waiting(waiting.NEW_LEADER()) from error


def _sent(relation: ops.Relation) -> list[Any]:
    """Return what should be certificates, and the empty text for anything else."""
    try:
        found = json.loads(relation.data[relation.app].get("certificates") or "[]")
    except (ValueError, RecursionError):
        return [""]
    return cast("list[Any]", found) if isinstance(found, list) else [""]
