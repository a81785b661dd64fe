# SPDX-License-Identifier: Apache-2.0

"""The leader's step that ends access: it deletes the mappings whose time has come."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Callable, Mapping, Sequence

import times
from access import expiry
from access.mapping import IdentityMapping
from cluster import api, claim, events
from cluster.errors import Conflict, errors_as_status
from cluster.mappings import listing
from config import Config
from errors import Unready
from juju.alarm import Alarm
from juju.peers import Peers
from labels import OPTION
from owner import Owner
from text import status_line

logger = logging.getLogger(__name__)

# How much of its time a hook keeps for its other requests.
KEPT_SECONDS = 2.0


class Expiry:
    """Ends access. The alarm keeps when the next access ends, the peers keep what has ended.

    ``config`` need not be checked. ``next_end`` is when the next access ends, by what the hook
    saw last of the mappings; only `end` looks at them.
    """

    def __init__(self, alarm: Alarm, peers: Peers, owner: Owner, config: Config):
        self._alarm, self._peers, self._owner, self._config = alarm, peers, owner, config
        self.done = False
        self.next_end: datetime.datetime | None = None

    def end(self, client: api.Client) -> list[IdentityMapping]:
        """Delete the mappings whose time has come, and return the others.

        Only the requests that check and write mappings can follow. Call this inside
        `errors_as_status`.
        """
        client.prolong()
        now = times.now()
        left: list[IdentityMapping] = []
        lasting: list[IdentityMapping] = []
        ended, gone = [*self._peers.shared.ended], list[IdentityMapping]()
        found = listing.find(client)
        declared = self._declared(found, now)
        for mapping in found:
            meant = mapping
            if expiry.has_ended(mapping, now):
                meant = declared.get(mapping.name, mapping)
            if not expiry.has_ended(meant, now) or client.seconds_left < KEPT_SECONDS:
                left.append(mapping)
                lasting.append(meant)
            elif still_there := _end(client, mapping.name, now, ended):
                left.append(still_there)
                lasting.append(still_there)
            else:
                gone.append(mapping)
        self.next_end = expiry.next_end(lasting)
        events.write(client, self._owner, [_note(each) for each in gone])
        remembered = expiry.remembered(ended, now)
        self._peers.publish(dataclasses.replace(self._peers.shared, ended=remembered))
        self.done = True
        return left

    def end_unless_done(self, connect: Callable[[], api.Client]) -> bool:
        """End access in a hook whose reconcile did not come to it, if the cluster can be reached.

        A person, or another party, may take long to do what that reconcile asks for.

        Return whether this did it.
        """
        if self.done or not self._peers.shared.serving:
            # An application that has never served has let nobody in.
            return False
        try:
            with errors_as_status():
                client = connect()
                client.prolong()
                # The reconcile may have stopped ahead of its own look at that.
                if claim.is_owned(client, self._owner):
                    self.end(client)
        except Unready as reason:
            if self._alarm.overdue:
                logger.warning("access goes on after its end: %s", status_line(reason))
        return self.done

    def _declared(
        self, found: Sequence[IdentityMapping], now: datetime.datetime
    ) -> Mapping[str, IdentityMapping]:
        """Return the mappings that look ended, and that the option declares, as it declares them.

        Somebody annotated these by hand. The leader repairs them, and nobody loses access. If the
        option is wrong, only the annotations say when its mappings end.
        """
        over = [each for each in found if each.source == OPTION and expiry.has_ended(each, now)]
        if not over:
            return {}
        ends = {entry.name: entry.expires for entry in self._config.declared.entries}
        return {
            each.name: dataclasses.replace(each, expires=ends[each.name])
            for each in over
            if each.name in ends
        }


def _note(mapping: IdentityMapping) -> events.Note:
    text = f"access of {mapping.arn} has ended: it was to end at {mapping.expires}"
    return events.Note("AccessEnded", "End", mapping, text, gone=True)


def _end(
    client: api.Client, name: str, now: datetime.datetime, ended: list[expiry.Ended]
) -> IdentityMapping | None:
    """Delete a mapping, and add it to ``ended``, unless somebody has prolonged it just now.

    Return the mapping if it is still there, otherwise None.
    """
    from cluster.mappings import single

    stored = single.read(client, name)
    if not stored or not expiry.has_ended(stored.mapping, now):
        return stored and stored.mapping
    mapping = stored.mapping
    if stored.leaving:
        return mapping
    try:
        single.delete(client, stored)
    except Conflict:
        return mapping
    except single.RefusedError as reason:
        logger.warning("the cluster refuses to delete mapping %s: %s", name, reason)
        return mapping
    # A mapping from before there was a schema may hold any text.
    arn, at = status_line(mapping.arn), times.shown(times.parse(mapping.expires))
    logger.warning(
        "access has ended: deleted mapping %s of %s, which expired at %s", name, arn, at
    )
    ended.append(expiry.Ended(name, arn, at, times.shown(now)))
    return None
