# SPDX-License-Identifier: Apache-2.0

"""The leader's steps about access: end what has ended, then let in who is to be let in."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import cos
import times
from access import desired, expiry, validity
from access.declaration.declared import Declared
from access.desired import Access, Changes, Desired
from access.mapping import IdentityMapping
from cluster import api, events, objects, references, state, sync
from cluster.errors import errors_as_status
from cluster.sync import Result
from cos import facts
from errors import Unready
from labels import GRANT, OPTION
from owner import Owner
from statuses import entry
from statuses import mapping as texts
from text import status_line, word

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Report:
    """What there is to say of access.

    Attributes:
        mappings: All mappings, as the hook leaves them.
        problems: What is wrong with a mapping, by its name: duplicates of declared mappings first.
        duplicates: The names of mappings of others with the ARN of a declared mapping.
        not_applied: Why a part of the option has no effect, by its place.
        declared: What the option declares.
        result: What became of the changes.
        next_end: When the next access ends, or ended if the mapping is still there.
    """

    mappings: Sequence[IdentityMapping]
    problems: Mapping[str, str]
    duplicates: frozenset[str]
    not_applied: Mapping[str, str]
    declared: Declared
    result: Result
    next_end: datetime.datetime | None

    def counted(self, replicas: int) -> facts.Facts:
        """Return what alerts are about, but for the certificate."""
        return facts.Facts(
            to_correct=len(self.problems),
            next_end=facts.seconds(self.next_end),
            replicas=replicas,
        )


def end(hook: Hook, client: api.Client, keep: float = 0.0) -> list[IdentityMapping]:
    """Delete the mappings whose time has come, and return the others.

    The option need not be one that can work. Keep so many seconds of the hook's time for what
    follows: who may write mappings could otherwise keep the hooks from everything else.

    What is bound to a mapping gives nobody anything without it, so its bindings may go later.
    Call this inside `errors_as_status`.
    """
    found, now = Access(tuple(state.mappings(client))), times.now()
    lasting = desired.lasting(found, hook.config.declared, now)
    result = sync.make(client, hook.owner, desired.changes(found, lasting), keep=keep)
    for name, reason in result.refused.items():
        logger.warning("the cluster refuses to delete mapping %s: %s", name, reason)
    _note_ended(hook, client, [each for each in found.mappings if each.name in result.done])
    gone = result.done | result.gone
    remaining = [each for each in found.mappings if each.name not in gone]
    hook.wake.expect(_next_end(hook, remaining))
    hook.has_ended = True
    return remaining


def end_late(hook: Hook) -> None:
    """End access in a hook whose reconcile did not come to it, if the cluster can be reached.

    A person, or another party, may take long to do what that reconcile asks for.
    """
    try:
        with errors_as_status():
            client = hook.client
            client.prolong()
            # The reconcile may have stopped ahead of its own look at that.
            if hook.owner.owns(objects.mark_of(objects.get(client, references.SERVICE))):
                remaining = end(hook, client)
                cos.note_end(hook.charm, hook.owner, hook.peers, _next_end(hook, remaining))
    except Unready as reason:
        if hook.wake.overdue:
            logger.warning("expired mappings still let people in: %s", status_line(reason))


def _next_end(hook: Hook, remaining: Iterable[IdentityMapping]) -> datetime.datetime | None:
    """Return when the next access ends. The option gives its mappings their ends, and no hand."""
    ends = {entry.name: entry.expires for entry in hook.config.declared.entries}
    return expiry.next_end(
        dataclasses.replace(each, expires=ends[each.name])
        if each.source == OPTION and each.name in ends
        else each
        for each in remaining
    )


def _note_ended(hook: Hook, client: api.Client, gone: Sequence[IdentityMapping]) -> None:
    """Log what has ended, remember it, and leave an event for each."""
    now, ended = times.now(), list(hook.peers.shared.ended)
    for each in gone:
        # A mapping from before there was a schema may hold any text.
        arn, at = word(each.arn), times.shown(times.parse(each.expires))
        logger.warning(
            "access has ended: deleted mapping %s of %s, which expired at %s", each.name, arn, at
        )
        ended.append(expiry.Ended(each.name, arn, at, times.shown(now)))
    events.write(client, hook.owner, [_end_note(each) for each in gone])
    hook.peers.change(ended=expiry.remembered(ended, now))


def _end_note(ended: IdentityMapping) -> events.Note:
    text = f"access of {word(ended.arn)} has ended: it was to end at {ended.expires}"
    return events.Note("AccessEnded", "End", ended, text, gone=True)


def let_in(hook: Hook, client: api.Client, remaining: Sequence[IdentityMapping]) -> Report:
    """Make the mappings and bindings what they should be, starting from the ``remaining`` ones.

    This may take all that is left of the hook's time.
    """
    declared, partition, now = hook.config.declared, hook.config.partition, times.now()
    found = _with_bindings(client, hook.owner, remaining)
    needed = state.needed(client, found, declared.entries, partition)
    wanted = desired.access(declared, needed, now, partition)
    steps = desired.changes(found, wanted.access)
    result = sync.make(client, hook.owner, steps)
    over = [each for each in steps.delete if expiry.has_ended(each, now)]
    _note_ended(hook, client, [each for each in over if each.name in result.done])
    _log(steps, wanted, result)
    after = _after(found, wanted, result)
    checked = validity.check(after, partition)
    refused, not_applied = _refused(after, wanted, result)
    next_end = expiry.next_end(after)
    hook.wake.expect(next_end)
    late = {
        each.name: texts.EXPIRED(time=each.expires)
        for each in after
        if expiry.has_ended(each, now)
    }
    return Report(
        after,
        validity.in_order({**refused, **checked.problems, **late}, checked.duplicates),
        checked.duplicates,
        {**wanted.not_applied, **not_applied},
        declared,
        result,
        next_end,
    )


def _with_bindings(client: api.Client, owner: Owner, there: Sequence[IdentityMapping]) -> Access:
    """Return the mappings ``there`` with the bindings that the charm has made.

    Another unit may have granted access since the mappings were read. Its action makes the mapping
    first. So a binding that comes without one has it by now, or has lost it.
    """
    bound = state.role_bindings(client, owner)
    names = {each.name for each in there}
    if any(each.source == GRANT and each.mapping not in names for each in bound):
        there = state.mappings(client, newest=True)
    return Access(tuple(there), tuple(bound))


def _after(found: Access, wanted: Desired, result: Result) -> list[IdentityMapping]:
    """Return all mappings as the hook leaves them, but for those that only wait to be deleted."""
    before = {each.name: each for each in found.mappings}
    names = {each.name for each in wanted.access.mappings}
    left_out = names | result.done | result.pending | result.gone
    return [
        *(
            before.get(each.name, each) if each.name in result.refused else each
            for each in wanted.access.mappings
            if each.name in before or each.name not in result.refused
        ),
        *(each for each in found.mappings if each.name not in left_out),
    ]


def _refused(
    after: Sequence[IdentityMapping], wanted: Desired, result: Result
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the cluster refuses: what is wrong with mappings, by their names, and what of
    the option has no effect, by its place."""
    others = {each.name for each in after if each.source != OPTION}
    problems, not_applied = dict[str, str](), dict[str, str]()
    for key, reason in result.refused.items():
        place = wanted.places.get(key)
        if key in others and not place:
            problems[key] = texts.STATUS_REFUSED(reason=reason)
        else:
            not_applied[place or sync.shown(key)] = entry.REFUSED(reason=reason)
    return problems, not_applied


def _log(steps: Changes, wanted: Desired, result: Result) -> None:
    """Log each role of a permission set that is learned, or has changed, and each mapping of
    others that has given way to a declared one of its name."""
    for former, new in steps.replace:
        if former.source != OPTION and new.name in result.done:
            place = wanted.places.get(new.name, "")
            logger.warning(
                "mapping %s of %s gave way to the one that the option mappings declares (%s)",
                former.name,
                word(former.arn),
                place,
            )
    made = [(None, each) for each in steps.create]
    for former, new in (*made, *steps.replace):
        if new.permission_set and new.name in result.done:
            logger.warning(
                "permission set %s (%s) %s role %s",
                new.permission_set,
                wanted.places.get(new.name, ""),
                "changes to" if former else "has",
                new.arn,
            )
