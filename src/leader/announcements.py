# SPDX-License-Identifier: Apache-2.0

"""Whoever can administer the cluster is announced, once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from access import rbac
from access.administrators import ADMINISTRATOR, SYSTEM
from access.mapping import IdentityMapping
from cluster import api, events
from juju.peers import Peers
from owner import Owner
from text import fingerprint, one_line, word

logger = logging.getLogger(__name__)

# How many announced mappings the databag remembers. Whoever makes more has been seen by then.
MOST_REMEMBERED = 200


def announce(
    client: api.Client, owner: Owner, peers: Peers, found: Sequence[IdentityMapping]
) -> None:
    """Write an event and a log line for each mapping in ``found``, whoever made the mapping.

    A hook announces at most `events.MOST` new ones, and the next hook goes on. A mapping is
    remembered once its event is there: Kubernetes forgets events after an hour.
    """
    keys = {_key(mapping): mapping for mapping in found}
    known = peers.shared.superusers & keys.keys()
    room = MOST_REMEMBERED - len(known)
    new = [(key, mapping) for key, mapping in keys.items() if key not in known]
    chosen = new[: min(room, events.MOST)]
    written = events.write(client, owner, [_note(mapping) for _, mapping in chosen])
    done = chosen[:written]
    for _, mapping in done:
        logger.warning("%s", one_line(_text(mapping)))
    peers.change(superusers=known | {key for key, _ in done})


def _key(mapping: IdentityMapping) -> str:
    return fingerprint(f"{mapping.name}\0{mapping.principal}")


def _note(mapping: IdentityMapping) -> events.Note:
    text = _text(mapping)
    return events.Note("SuperuserMapped", "Map", mapping, text, warns=True)


def _text(mapping: IdentityMapping) -> str:
    made = {"option": "the option mappings", "grant": "grant-access"}.get(
        mapping.source, "kubectl"
    )
    return (
        f"mapping {mapping.name}, made by {made}, lets {word(mapping.arn)} administer the "
        f"cluster: a group of it is {rbac.MASTERS}, or can become that, or has the ClusterRole "
        f"{ADMINISTRATOR} in the whole cluster or in {SYSTEM}"
    )
