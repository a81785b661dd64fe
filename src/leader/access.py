# SPDX-License-Identifier: Apache-2.0

"""The leader's step about access: one look, what is wanted, the changes, and what is said."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import times
from access import desired, expiry, validity
from access.desired import Access, Changes, Desired
from access.mapping import IdentityMapping
from cluster import api, objects, references, state, sync
from cluster.errors import errors_as_status
from cluster.sync import Result
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
    # The names of mappings of others with the ARN of a declared mapping.
    duplicates: frozenset[str]
    not_applied: Mapping[str, str]  # Why a part of the option has no effect, by its place.
    result: Result  # What became of the changes.
    pending: frozenset[str]  # The names of mappings that are still to be made, or changed.
    former: frozenset[str]  # The names of mappings that are still to be deleted.


def bring(hook: Hook, client: api.Client) -> Report:
    """Make the mappings and bindings what they should be, and report what is left.

    Call this inside `errors_as_status`. It takes what the hook's time has but `KEPT_SECONDS`.
    """
    declared, partition, now = hook.config.declared, hook.config.partition, times.now()

    def look(*, newest: bool) -> tuple[Desired, Changes]:
        found = state.access(client, hook.owner, newest=newest)
        there = state.needed(client, found, declared.entries, partition)
        wanted = desired.access(declared, there, now, partition)
        return wanted, desired.changes(found, wanted.access)

    wanted, steps = look(newest=hook.wake.overdue)
    ended = {each.name for each in steps.delete if expiry.has_ended(each, now)}
    others = steps.only(lambda name: name not in ended).keys
    # The server's memory may be moments old, so what is stored decides on other changes, and on
    # whether access that is to end is gone.
    if others or not hook.wake.finds(desired.ends(steps.before, declared)):
        wanted, steps = look(newest=True)
    # What ends comes before all that a slow server keeps this hook from.
    left = client.seconds_left
    seconds = max(left - KEPT_SECONDS, min(LEAST_SECONDS, left))
    result = sync.make(client, hook.owner, steps, "option mappings", seconds=seconds)
    _tell(hook, result)
    return _report(hook, wanted, result)


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
            before = state.access(client, hook.owner, newest=hook.wake.overdue)
            wanted = desired.lasting(before, hook.config.declared, times.now())
            steps = desired.changes(before, wanted)
            result = sync.make(client, hook.owner, steps, "the time is over")
            _tell(hook, result)
    except Unready as reason:
        hook.wake.look_again()
        if hook.wake.overdue:
            logger.warning("expired mappings still let people in: %s", status_line(reason))


def _tell(hook: Hook, result: Result) -> None:
    """Remember what has ended, and have the unit expect when the next access ends."""
    now = times.now()
    there = {(each.name, each.principal) for each in result.after.mappings}
    gone = [each for each in result.before.mappings if (each.name, each.principal) not in there]
    ended = (_ended(each, now) for each in gone if expiry.has_ended(each, now))
    hook.peers.change(ended=expiry.remembered((*hook.peers.shared.ended, *ended), now))
    for each in result.after.mappings:
        left = result.left.get(each.name)
        if left and left.why and expiry.has_ended(each, now):
            does = "refuses to" if left.refused else "does not"
            logger.warning("the cluster %s delete mapping %s: %s", does, each.name, left.why)
    ends = desired.ends(result.after, hook.config.declared)
    hook.wake.expect(ends)
    if result.unfinished and result.made:
        hook.wake.go_on()


def _ended(mapping: IdentityMapping, now: datetime.datetime) -> expiry.Ended:
    # Its ARN may be any text.
    arn, at = word(mapping.arn), times.shown(times.parse(mapping.expires))
    return expiry.Ended(mapping.name, arn, at, times.shown(now), mapping.source)


def _report(hook: Hook, wanted: Desired, result: Result) -> Report:
    after = result.after.mappings
    names = {each.name for each in wanted.access.mappings}
    before = {each.name: each for each in result.before.mappings}
    late = desired.ended(result.after, hook.config.declared, times.now())
    checked = validity.check_access(result.after, late, hook.config.partition)
    refused, not_applied = _left(result.after, wanted, result)
    return Report(
        validity.in_order({**refused, **checked.problems}, checked.duplicates),
        checked.duplicates,
        {**wanted.not_applied, **not_applied},
        result,
        result.unfinished & names,
        frozenset(
            each.name for each in after if each.name not in names and before.get(each.name) == each
        ),
    )


def _left(after: Access, wanted: Desired, result: Result) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the cluster does not make: what is wrong with mappings, by their names, and what
    of the option has no effect, by its place."""
    others = {each.name for each in after.mappings if each.source != OPTION}
    problems, not_applied = dict[str, str](), dict[str, str]()
    for key, left in result.left.items():
        if not left.is_said:
            continue
        place = wanted.places.get(key)
        if key in others and not place:
            problems[key] = (
                texts.STATUS_REFUSED(reason=left.why)
                if left.refused
                else texts.STATUS_FAILED(reason=left.why)
            )
        else:
            not_applied[place or sync.shown(key)] = (
                entry.REFUSED(reason=left.why) if left.refused else entry.FAILED(reason=left.why)
            )
    return problems, not_applied
