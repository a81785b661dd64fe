# SPDX-License-Identifier: Apache-2.0

"""The endpoint ``receive-ca-cert``: authorities that the pods trust besides the image's own.

It speaks the interface certificate_transfer in versions 0 and 1. The interface's library reads no
provider of version 0 that writes its certificates as they are, as such providers do. It logs a
malformed databag whole, and raises where one is nested deeply.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import cast

import ops

from certificates import pem
from errors import Waiting
from statuses import active, waiting
from text import counted

ENDPOINT = "receive-ca-cert"
VERSION = "1"
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
        _announce_version(relation, charm.app)
        unusable = 0
        texts = _sent(relation)
        for block in dict.fromkeys(b for text in texts for b in pem.certificates(text) or [text]):
            size = len(block) + 1
            if block in accepted:
                continue
            if size > room or not _is_readable(block):
                unusable += 1
                continue
            accepted[block] = None
            room -= size
        if unusable:
            number, sender = counted(unusable, "certificate"), relation.app.name
            remarks.append(active.CAS_UNUSABLE(certificates=number, application=sender))
    return Trust(pem.ca_bundle(*accepted), ", ".join(remarks))


def _announce_version(relation: ops.Relation, app: ops.Application) -> None:
    data = relation.data[app]
    if data.get("version") == VERSION:
        return
    try:
        data.update({"version": VERSION})
    except (ops.RelationDataError, ops.ModelError) as error:
        raise Waiting(waiting.NEW_LEADER()) from error


def _sent(relation: ops.Relation) -> list[str]:
    """Return what should be certificates, and the empty text for anything else."""
    app = relation.data[relation.app]
    if "certificates" in app:
        return _texts(app, "certificates")
    texts: list[str] = []
    for unit in sorted(relation.units, key=lambda unit: unit.name):
        bag = relation.data[unit]
        # Some providers write ``ca`` as it is, others as JSON.
        ca = bag.get("ca", "").replace("\\n", "\n")
        texts += [*_texts(bag, "chain"), *pem.certificates(ca)]
    return texts


def _texts(bag: Mapping[str, str], key: str) -> list[str]:
    try:
        found = json.loads(bag.get(key) or "[]")
    except (ValueError, RecursionError):
        return [""]
    if not isinstance(found, list):
        return [""]
    return [text if isinstance(text, str) else "" for text in cast("list[object]", found)]


def _is_readable(block: str) -> bool:
    """Return whether Go takes ``block`` into a pool of trusted certificates."""
    from certificates import verdict

    try:
        verdict.read(block)
    except ValueError:
        return False
    return True
