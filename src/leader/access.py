# SPDX-License-Identifier: Apache-2.0

"""The leader's step about access: one look, what is wanted, the changes, and what is said."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import times
from access import desired, expiry, validity
from access.desired import Access, Desired
from cluster import access, api, objects, references, set_roles
from cluster.access import Result
from cluster.errors import errors_as_status
from errors import Unready
from labels import OPTION
from statuses import entry
from statuses import mapping as texts
from text import status_line, word

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)

# How much of its time a hook keeps for what follows, and how much of it access has in any case.
KEPT_SECONDS, LEAST_SECONDS = 10.0, 4.0


@dataclasses.dataclass(frozen=True)
class Report:
    """What there is to say of access."""

    # What is wrong with a mapping, by its name: duplicates of declared mappings first.
    problems: Mapping[str, str]
    not_applied: Mapping[str, str]  # Why a part of the option has no effect, by its place.
    result: Result  # What became of the changes.
    pending: frozenset[str]  # The names of mappings that are still to be made, or changed.
    former: frozenset[str]  # The names of mappings that are still to be deleted.
    bindings: int  # How many role bindings are still to be created or deleted.


def bring(hook: Hook, client: api.Client) -> Report:
    """Make the mappings and bindings what they should be, and report what is left.

    Call this inside `errors_as_status`. It takes what the hook's time has but `KEPT_SECONDS`.
    """
    declared, now = hook.config.declared, times.now()

    found = access.read(client)
    roles = set_roles.find(client, declared, found.mappings)
    wanted = desired.access(declared, found, roles, now)
    ended = expiry.ended(found.mappings, declared, now)
    seconds = _seconds(client)
    result = access.make(
        client, found, wanted.access, "option mappings", ended=ended, seconds=seconds
    )
    _tell(hook, result, ended, now)
    return _report(hook, wanted, result, now)


def _seconds(client: api.Client) -> float:
    """Return for how long changes may begin. Another look, and what follows, need time too."""
    left = client.seconds_left
    return max(left - KEPT_SECONDS, min(LEAST_SECONDS, left))


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
            ended = expiry.ended(found.mappings, hook.config.declared, now)
            wanted, seconds = found.without(ended), _seconds(client)
            result = access.make(
                client, found, wanted, "the time is over", ended=ended, seconds=seconds
            )
            _tell(hook, result, ended, now)
    except Unready as reason:
        hook.wake.polls = True
        if hook.wake.overdue:
            logger.warning("expired mappings still let people in: %s", status_line(reason))


def _tell(hook: Hook, result: Result, ended: Mapping[str, datetime], now: datetime) -> None:
    """Remember what has ``ended``, and have the unit expect when the next access ends."""
    before, after = result.before.mappings, result.after.mappings
    there = {each.name for each in after}
    gone = [
        expiry.Ended(each.name, word(each.arn), times.shown(at), times.shown(now), each.source)
        for each in before
        if (at := ended.get(each.name)) and each.name not in there
    ]
    hook.peers.change(ended=expiry.remembered((*hook.peers.shared.ended, *gone), now))
    for name, why in result.said.items():
        if name in ended:
            logger.warning("the cluster does not delete mapping %s: %s", name, why)
    ends = (expiry.end(each, hook.config.declared) for each in after)
    hook.wake.expect(moment for moment in ends if moment)
    hook.wake.goes_on = result.goes_on
    hook.wake.polls |= bool(result.left)


def _report(hook: Hook, wanted: Desired, result: Result, now: datetime) -> Report:
    config, after = hook.config, result.after
    late = expiry.ended(after.mappings, config.declared, now)
    checked = validity.check_access(after, late, config.partition)
    refused, not_applied = _left(after, wanted, result)
    names = {each.name for each in wanted.access.mappings}
    # What the server says of the others stands among the problems.
    left = result.left.keys() - result.said.keys()
    return Report(
        validity.in_order({**refused, **checked.problems}, checked.duplicates),
        {**wanted.not_applied, **not_applied},
        result,
        frozenset(left & names),
        frozenset(key for key in left - names if "/" not in key),
        sum("/" in key for key in left),
    )


def _left(after: Access, wanted: Desired, result: Result) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the cluster does not make: what is wrong with mappings, by their names, and what
    of the option has no effect, by its place."""
    others = {each.name for each in after.mappings if each.source != OPTION}
    problems, not_applied = dict[str, str](), dict[str, str]()
    for key, why in result.said.items():
        place = wanted.places.get(key)
        if key in others and not place:
            problems[key] = texts.STATUS_FAILED(reason=why)
        else:
            not_applied[place or access.shown(key)] = entry.FAILED(reason=why)
    return problems, not_applied
