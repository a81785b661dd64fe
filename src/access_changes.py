# SPDX-License-Identifier: Apache-2.0

"""What is said of access that has changed: in the log, in events, and in the memory of ends.

It is the difference of two looks at the cluster, so it tells what is there, whatever became of the
answers to the writes in between. A hook may die between a write and its telling: `cluster.sync`
has logged before what it was about to write.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import times
from access import expiry, grants, permission_sets
from access.desired import Access
from access.mapping import IdentityMapping
from cluster import events
from cluster.events import Note
from labels import OPTION
from text import first, word

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)

# Who changes access.
BY_OPTION, BY_GRANT, BY_REVOCATION = "option mappings", "grant-access", "revoke-access"
# How many of many mappings the log names.
MOST_LOGGED = 20


def tell(
    hook: Hook,
    before: Access,
    after: Access,
    changed: Collection[str],
    by: str,
    reason: str = "",
) -> None:
    """Tell what has become of the access ``before``, now that the cluster has ``after``.

    ``changed`` are the names of the mappings that were to change: others may have changed more.
    ``reason`` is why an operator grants access. Only the leader remembers what has ended.
    """
    before, after = before.only(changed), after.only(changed)
    gone, now = removed(before, after), times.now()
    over = [each for each in gone if expiry.has_ended(each, now)]
    notes = list(map(_end_note, over))
    if by == BY_REVOCATION:
        notes += [_revocation(each) for each in gone if each not in over]
    elif by == BY_GRANT:
        notes += [_grant(after, old, new, reason) for old, new in _changed(before, after)]
    ended = [_ended(each, now) for each in over]
    lines = [
        f"deleted mapping {each.name} of {each.arn}, which expired at {each.at}" for each in ended
    ]
    remarks = _remarks(before, after) if by == BY_OPTION else ()
    for line in (*(f"access has ended: {each}" for each in first(lines, MOST_LOGGED)), *remarks):
        logger.warning("%s", line)
    events.write(hook.client, hook.owner, notes)
    if hook.leads:
        hook.peers.change(ended=expiry.remembered((*hook.peers.shared.ended, *ended), now))


def removed(before: Access, after: Access) -> list[IdentityMapping]:
    """Return the mappings that let somebody in before, and do so no longer by their names."""
    left = {each.name: each for each in after.mappings}
    return [
        each
        for each in before.mappings
        if each.name not in left or left[each.name].principal != each.principal
    ]


def _changed(
    before: Access, after: Access
) -> Iterable[tuple[IdentityMapping | None, IdentityMapping]]:
    """Yield each mapping of ``after`` that differs from ``before``, by itself or by its roles."""
    known = {each.name: each for each in before.mappings}
    roles = {each.mapping for each in {*before.bindings} ^ {*after.bindings}}
    for each in after.mappings:
        if known.get(each.name) != each or each.name in roles:
            yield known.get(each.name), each


def _ended(mapping: IdentityMapping, now: datetime) -> expiry.Ended:
    # Its ARN may be any text.
    arn, at = word(mapping.arn), times.shown(times.parse(mapping.expires))
    return expiry.Ended(mapping.name, arn, at, times.shown(now), mapping.source)


def _end_note(ended: IdentityMapping) -> Note:
    text = f"access of {word(ended.arn)} has ended: it was to end at {ended.expires}"
    return Note("AccessEnded", "End", ended, text, gone=True)


def _revocation(mapping: IdentityMapping) -> Note:
    text = f"revoke-access ended this access: {grants.shown(mapping)}"
    return Note("AccessRevoked", "Revoke", mapping, text, gone=True)


def _grant(
    after: Access, former: IdentityMapping | None, mapping: IdentityMapping, reason: str
) -> Note:
    done = "changed" if former else "granted"
    ends = f"until {mapping.expires}" if mapping.expires else "until it is revoked"
    why = f", because: {reason}" if reason else ""
    shared = grants.shared_groups(mapping)
    groups = f", groups {', '.join(shared)}" if shared else ""
    given = [str(each) for each in after.bindings if each.mapping == mapping.name]
    role = f", {', '.join(given)}" if given else ""
    who = f"{mapping.arn} {ends} as {mapping.username}{groups}{role}"
    text = f"grant-access {done} access of {who}{why}"
    return Note("AccessChanged" if former else "AccessGranted", "Grant", mapping, text)


def _remarks(before: Access, after: Access) -> Iterable[str]:
    """Yield a line for each role of a permission set that is learned, or has changed, and for each
    mapping of others that has given way to a declared one of its name."""
    known = {each.name: each for each in before.mappings}
    by_principal = {each.principal for each in before.mappings}
    for new in after.mappings:
        former = known.get(new.name)
        if former and former.principal == new.principal:
            continue
        if former and former.source != OPTION == new.source:
            yield (
                f"mapping {former.name} of {word(former.arn)} gave way to the one that the "
                f"option mappings declares"
            )
        role = permission_sets.of_role(new.arn)
        if role and new.principal not in by_principal:
            has = "changes to" if former else "has"
            yield f"permission set {role} {has} role {new.arn}"
