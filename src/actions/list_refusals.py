# SPDX-License-Identifier: Apache-2.0

"""`list-refusals`: who was refused in the last hour, and why, by the authenticator's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import times
from access import arn, desired, refusals
from access.declaration.entry import Entry
from access.explanation import admit, still_out
from access.mapping import IdentityMapping
from access.refusals import Cause, Refusal
from actions import joined
from cluster import access, api, pod_logs, set_roles
from cluster.errors import errors_as_status
from hook import Hook
from text import command, look_again, word

# How far back the pods' log is read, in seconds.
RECENT = 3600
# How many reasons are shown.
_REASONS = 20


def run(_: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``refusals``, a line for each principal and cause, with how to let them in."""
    with errors_as_status():
        client = hook.client
        mapped = access.mappings(client)
        return {"refusals": joined(lines(client, hook, mapped))}


def lines(
    client: api.Client, hook: Hook, mapped: Sequence[IdentityMapping], looked_up: str = ""
) -> Iterator[str]:
    """Yield who was refused in the last hour, and how to let them in, or that they are ``mapped``;
    then which logs are missing or too short.

    With ``looked_up``, the lines are about one principal: others who are mapped by now are left
    out.

    That principal and roles of permission sets that the leader is about to map come first, then
    others of accounts that somebody is mapped of. Those of all other accounts come last: anybody
    with an account of AWS can be refused, as often as they like.
    """
    application, declared = hook.owner.application, hook.config.declared
    log = pod_logs.read(client, RECENT)
    found = refusals.parse(log.lines)
    known = {mapping.canonical for mapping in mapped}
    if looked_up:
        found = [
            each
            for each in found
            if each.cause != Cause.NOT_MAPPED or arn.looked_up(each.arn) not in known
        ]
    learned = {arn.looked_up(entry.arn): entry for entry in _learned(client, hook, mapped)}
    accounts = _accounts(mapped, declared.entries, looked_up)
    first = {looked_up, *learned} - {""}
    none = "nobody was refused in the last hour"
    if not log.covers:
        none = "the logs that there are show nobody who was refused"
    yield "refused in the last hour:" if found else none
    for refusal in _ranked(found, first, accounts)[:_REASONS]:
        yield _line(refusal)
        principal = arn.looked_up(refusal.arn)
        if refusal.cause != Cause.NOT_MAPPED or not principal:
            continue
        if principal in learned:
            entry = learned[principal]
            yield (
                f"permission set {entry.permission_set} ({entry.place}) has role {entry.arn}: the "
                "leader's next hook maps it; to map it now, run: "
                f"{look_again(f'{application}/leader')}"
            )
        elif principal in known:
            yield "it is mapped by now"
        elif principal != looked_up:
            role = arn.parse(refusal.arn)
            entry = declared.of(principal)
            other = still_out(entry, declared, mapped, times.now(), str(role)) if entry else ""
            yield other or _remedy(refusal, application, accounts)
    if len(found) > _REASONS:
        yield f"{len(found) - _REASONS} more principals or reasons"
    yield from _missing(log)


def _missing(log: pod_logs.Logs) -> Iterator[str]:
    """Yield which logs are missing or too short."""
    for pod, reason in log.unread.items():
        yield f"the log of pod {pod} is missing: {reason}"
    if log.begin > log.since:
        yield f"the log reaches back to {times.shown(log.begin)}: earlier refusals are not known"


def _learned(client: api.Client, hook: Hook, mapped: Sequence[IdentityMapping]) -> Iterator[Entry]:
    """Yield the entries of permission sets whose role the log shows, and no mapping names yet.

    The leader's next hook maps them. An action that explains changes nothing.
    """
    declared = hook.config.declared
    if declared.faults:
        return
    roles = set_roles.find(client, declared, mapped)
    known = {(mapping.name, mapping.principal) for mapping in mapped}
    for entry in (desired.with_role(each, roles) for each in declared.entries if each.learns):
        if entry.principal and (entry.name, entry.principal) not in known:
            yield entry


def _accounts(
    mapped: Iterable[IdentityMapping], entries: Iterable[Entry], looked_up: str
) -> set[str]:
    """Return the account of the principal that is ``looked_up``, and those that mappings, or
    ``entries`` of the option, let somebody in of."""
    declared = {
        entry.permission_set.account if entry.permission_set else _account(entry.arn)
        for entry in entries
    }
    return {*declared, *(_account(each.arn) for each in mapped), _account(looked_up)} - {""}


def _account(text: str) -> str:
    """Return the account of an ARN; empty if ``text`` is none."""
    return "".join(text.split(":", 5)[4:5])


def _ranked(
    found: Iterable[Refusal], first: Collection[str], accounts: Collection[str]
) -> list[Refusal]:
    """Return refusals in the order of the list.

    Those of one principal take turns with others: whoever may assume a role chooses how many
    sessions it has.
    """
    turns = Counter[str]()
    keyed = list[tuple[int, int, Refusal]]()
    for refusal in found:
        keyed.append((_rank(refusal, first, accounts), turns[refusal.arn], refusal))
        turns[refusal.arn] += 1
    return [refusal for _, _, refusal in sorted(keyed, key=lambda each: each[:2])]


def _rank(refusal: Refusal, first: Collection[str], accounts: Collection[str]) -> int:
    """Return how far back in the list a refusal stands. Those without an ARN are few: one of each
    kind."""
    if refusal.arn and arn.looked_up(refusal.arn) in first:
        return 0
    if _account(refusal.arn) in accounts:
        return 1
    return 3 if refusal.arn else 2


def _line(refusal: Refusal) -> str:
    who = " ".join(
        filter(None, (word(refusal.arn) or "an unknown principal", word(refusal.session)))
    )
    key = f" with access key {refusal.access_key_id}" if refusal.access_key_id else ""
    often = "once" if refusal.count == 1 else f"{refusal.count} times"
    why = f"{refusal.cause.value}: {refusal.text}"
    return f"{who}{key}, {often}, the last at {times.shown(refusal.last)}: {why}"


def _remedy(refusal: Refusal, application: str, accounts: Collection[str]) -> str:
    if (account := _account(refusal.arn)) in accounts:
        return f"to let it in: {admit(application, arn.parse(refusal.arn))}"
    explain = command(
        "juju", "run", f"{application}/leader", "explain-access", f"arn={refusal.arn}"
    )
    return f"no mapping is of account {account}: if you know the account, run: {explain}"
