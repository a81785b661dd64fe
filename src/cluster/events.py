# SPDX-License-Identifier: Apache-2.0

"""Kubernetes Events on mappings: who was let in, and whose access ended.

They are notices, which the API server deletes after an hour or so. Nothing depends on them: what
keeps one from being written is logged, and no more. Mappings have no namespace, so their events
are in namespace `default`.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import times
from access.mapping import IdentityMapping
from cluster import api, objects
from cluster.errors import errors_as_status
from cluster.references import EVENTS, MAPPING
from errors import Unready
from owner import Owner
from text import cut, one_line, status_line

logger = logging.getLogger(__name__)

# How many events are written at a time: thousands of mappings may change at once, and each
# event is an object in etcd.
MOST = 20
# How long the API server lets a note be, and how much of a mapping's name begins an event's: the
# API server appends to that.
_NOTE_BYTES, _NAME_LENGTH = 1_000, 200
# How much of its time a hook keeps for its other requests.
_KEPT_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Note:
    """What an event says."""

    reason: str  # Why it is there, as a program reads it, such as ``AccessGranted``.
    action: str  # What was done, as a program reads it.
    mapping: IdentityMapping
    text: str  # What happened, as a person reads it. It may have any length and characters.
    gone: bool = False  # Whether the mapping was deleted.


def write(client: api.Client, owner: Owner, notes: Sequence[Note]) -> None:
    """Write an event for each of the first `MOST` notes. This raises nothing."""
    now = times.now()
    for note in _chosen(notes):
        if client.seconds_left < _KEPT_SECONDS:
            return
        try:
            with errors_as_status():
                _write(client, owner, note, now)
        except Unready as reason:
            logger.warning("no event for mapping %s: %s", note.mapping.name, status_line(reason))
            return


def _chosen(notes: Sequence[Note]) -> list[Note]:
    """Return the first `MOST` notes; the last of them says how many are left out."""
    chosen = list(notes[:MOST])
    if left := len(notes) - len(chosen):
        text = f"this and {left:,} others, see list-mappings: {chosen[-1].text}"
        chosen[-1] = dataclasses.replace(chosen[-1], text=text)
    return chosen


def _write(client: api.Client, owner: Owner, note: Note, now: datetime) -> None:
    # `kubectl describe` shows the events that have the object's uid.
    stored = None if note.gone else client.get(objects.mapping(), note.mapping.name)
    uid = str(stored["metadata"].get("uid", "")) if stored else ""
    from lightkube.resources.events_v1 import Event

    client.create(Event, _event(owner, note, uid, now), namespace=EVENTS)


def _event(owner: Owner, note: Note, uid: str, now: datetime) -> dict[str, Any]:
    mapping = note.mapping
    begin = mapping.name[:_NAME_LENGTH].rstrip("-.")
    regarding = {
        "apiVersion": "iamauthenticator.k8s.aws/v1alpha1",
        "kind": MAPPING,
        "name": mapping.name,
        "uid": uid,
    }
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"generateName": f"{begin}-", "namespace": EVENTS},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": api.MANAGER,
        "reportingInstance": owner.application,
        "action": note.action,
        "reason": note.reason,
        "type": "Normal",
        "regarding": {name: value for name, value in regarding.items() if value},
        "note": cut(one_line(note.text), _NOTE_BYTES),
    }
