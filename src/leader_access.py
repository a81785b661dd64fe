# SPDX-License-Identifier: Apache-2.0

"""The leader's step about access: one look, what is wanted, the changes, and what is said."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import times
from access import desired, problems
from access.desired import Access
from cluster import access, api, objects, pod_logs, references
from cluster.access import Result
from cluster.errors import errors_as_status
from errors import Unready
from juju.peers import Ended
from statuses import entry
from text import first, status_line, word

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)

# How long the charm remembers access that ended, and how many of them: a databag holds them.
REMEMBERED, MOST_REMEMBERED = timedelta(days=1), 100


@dataclasses.dataclass(frozen=True)
class Report:
    """What there is to say of access."""

    mappings: int  # How many there are.
    left: int  # How many changes are still to be made, but for those that the cluster refuses.
    # What is wrong with a mapping, by its name: duplicates of declared mappings first.
    problems: Mapping[str, str]
    not_applied: Mapping[str, str]  # Why a part of the option has no effect, by its place.


def bring(hook: Hook, client: api.Client) -> Report:
    """Make the mappings and bindings what they should be, and report what is left.

    Call this inside `errors_as_status`.
    """
    config, now = hook.config, times.now()
    found = access.read(client)
    roles = pod_logs.set_roles(client, config.declared, found.mappings)
    wanted = desired.access(config.declared, found, roles, now)
    result = _make(hook, client, found, wanted.access, "option mappings", now)
    late = desired.ended(result.after.mappings, config.declared, now)
    refused = {
        wanted.places.get(key) or access.shown(key): entry.FAILED(reason=why)
        for key, why in result.said.items()
    }
    return Report(
        len(result.after.mappings),
        len(result.left) - len(result.said),
        problems.find(result.after.mappings, config.partition, late),
        {**wanted.not_applied, **refused},
    )


def end(hook: Hook) -> None:
    """End access in a hook whose reconcile did not come to it, if the cluster can be reached.

    A person, or another party, may take long to do what that reconcile asks for. The option need
    not be one that can work.
    """
    try:
        with errors_as_status():
            client = hook.client
            # The reconcile may have stopped ahead of its own look at that.
            _, mark = objects.claimed(client, objects.get(client, references.SERVICE))
            if not hook.owner.owns(mark):
                hook.wake.expect(())
                return
            found, now = access.read(client), times.now()
            ended = desired.ended(found.mappings, hook.config.declared, now)
            _make(hook, client, found, found.without(ended), "the time is over", now)
    except Unready as reason:
        hook.wake.polls = True
        if hook.wake.overdue:
            logger.warning("expired mappings still let people in: %s", status_line(reason))


def _make(
    hook: Hook, client: api.Client, found: Access, wanted: Access, why: str, now: datetime
) -> Result:
    """Make the ``wanted`` access of what was ``found``. Remember what has ended, and have the unit
    expect when the next access ends."""
    ended = desired.ended(found.mappings, hook.config.declared, now)
    result = access.make(client, found, wanted, why, ended=ended)
    after = result.after.mappings
    there = {each.name for each in after}
    gone = [
        Ended(each.name, word(each.arn), times.shown(at))
        for each in found.mappings
        if (at := ended.get(each.name)) and each.name not in there
    ]
    known, since = (*hook.peers.shared.ended, *gone), times.shown(now - REMEMBERED)
    recent = [each for each in known if each.at > since]
    hook.peers.change(ended=tuple(recent[-MOST_REMEMBERED:]))
    refused = [f"{access.shown(key)}: {said}" for key, said in result.said.items()]
    for line in first(refused, access.MOST_LOGGED):
        logger.warning("the cluster refuses a change: %s", line)
    ends = (desired.end(each, hook.config.declared) for each in after)
    hook.wake.expect(moment for moment in ends if moment)
    hook.wake.goes_on = result.goes_on
    hook.wake.polls |= bool(result.left)
    return result
