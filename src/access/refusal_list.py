# SPDX-License-Identifier: Apache-2.0

"""Who was refused in the last hour, and how to let them in, as lines that a person reads. Pure."""

from __future__ import annotations

import dataclasses
import datetime
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import times
from access import arn, explanation
from access.declaration.declared import Entry
from access.explanation import canonical
from access.mapping import IdentityMapping
from access.refusals import Cause, Refusal

# How many reasons of refusals are shown.
_SHOWN = 20


def without_mapped(found: Iterable[Refusal], mapped: Iterable[IdentityMapping]) -> list[Refusal]:
    """Return the refusals without those for lack of a mapping, of principals that have one now."""
    known = {mapping.canonical for mapping in mapped}
    return [
        refusal
        for refusal in found
        if refusal.cause != Cause.NOT_MAPPED or canonical(refusal.arn) not in known
    ]


@dataclasses.dataclass(frozen=True)
class Log:
    """What is known of the last hour's logins that were refused.

    Attributes:
        refusals: The refusals.
        unread: Why a pod's log is missing, by the pod's name.
        begin: Since when the logs have everything.
        covers: Whether they have the whole hour.
    """

    refusals: Sequence[Refusal]
    unread: Mapping[str, str]
    begin: datetime.datetime
    covers: bool


def lines(
    log: Log,
    looked_up: str,
    application: str,
    mapped: Iterable[IdentityMapping],
    known_accounts: Collection[str],
    learned: Iterable[Entry] = (),
) -> Iterator[str]:
    """Yield who was refused in the last hour, and how to let them in, or that they are ``mapped``;
    then which logs are missing or too short.

    The principal ``looked_up`` and roles of permission sets that the leader has ``learned`` come
    first, and others of the principal's account and of ``known_accounts`` next. Those of all other
    accounts come last: anybody with an account of AWS can be refused, as often as they like.
    """
    known = {mapping.canonical for mapping in mapped}
    roles = {canonical(entry.arn): entry for entry in learned}
    accounts = {*known_accounts, _account(looked_up)} - {""}
    first = {looked_up, *roles} - {""}
    found = sorted(log.refusals, key=lambda refusal: _rank(refusal, first, accounts))
    yield _header(log)
    for refusal in found[:_SHOWN]:
        yield _line(refusal)
        principal = canonical(refusal.arn)
        if refusal.cause != Cause.NOT_MAPPED or not principal:
            continue
        if principal in roles:
            yield explanation.learned(roles[principal], application)
        elif principal in known:
            yield "it is mapped by now"
        elif principal != looked_up:
            yield _remedy(refusal, application, accounts)
    if len(found) > _SHOWN:
        yield f"{len(found) - _SHOWN} more principals or reasons"
    for pod, reason in log.unread.items():
        yield f"the log of pod {pod} is missing: {reason}"
    if not log.covers and not log.unread:
        yield f"the log reaches back to {times.shown(log.begin)}: earlier refusals are not known"


def too_large(found: Iterable[Refusal], application: str) -> Iterator[str]:
    """Yield that tokens were too large: then nobody knows whose they were."""
    if count := sum(each.count for each in found if each.cause == Cause.TOO_LARGE):
        yield (
            f"in the last hour, {count} logins of unknown principals had a token that is too "
            f"large; run: juju run {application}/leader list-refusals"
        )


def _line(refusal: Refusal) -> str:
    who = " ".join(filter(None, (refusal.arn or "an unknown principal", refusal.session)))
    key = f" with access key {refusal.access_key_id}" if refusal.access_key_id else ""
    often = "once" if refusal.count == 1 else f"{refusal.count} times"
    why = f"{refusal.cause.value}: {refusal.text}"
    return f"{who}{key}, {often}, the last at {times.shown(refusal.last)}: {why}"


def _remedy(refusal: Refusal, application: str, accounts: Collection[str]) -> str:
    if (account := _account(refusal.arn)) in accounts:
        return f"to let it in: {explanation.admit(application, arn.parse(refusal.arn))}"
    command = f"juju run {application}/leader explain-access"
    return (
        f"no mapping is of account {account}: if you know the account, run: "
        f"{command} {shlex.quote(f'arn={refusal.arn}')}"
    )


def accounts(mapped: Iterable[IdentityMapping], entries: Iterable[Entry]) -> set[str]:
    """Return the accounts that mappings, or ``entries`` of the option, let somebody in of."""
    declared = {
        entry.permission_set.account if entry.permission_set else _account(entry.arn)
        for entry in entries
    }
    return (declared | {_account(mapping.arn) for mapping in mapped}) - {""}


def _account(text: str) -> str:
    """Return the account of an ARN; empty if ``text`` is none."""
    return "".join(text.split(":", 5)[4:5])


def _rank(refusal: Refusal, first: Collection[str], accounts: Collection[str]) -> int:
    """Return how far back in the list a refusal stands. Those without an ARN are few: one of each
    kind."""
    if refusal.arn and canonical(refusal.arn) in first:
        return 0
    if _account(refusal.arn) in accounts:
        return 1
    return 3 if refusal.arn else 2


def _header(log: Log) -> str:
    if log.refusals:
        return "refused in the last hour:"
    if log.covers:
        return "nobody was refused in the last hour"
    return "the logs that there are show nobody who was refused"
