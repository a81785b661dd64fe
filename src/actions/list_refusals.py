# SPDX-License-Identifier: Apache-2.0

"""`list-refusals`: who was refused in the last hour, and why, by the authenticator's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import times
from access import arn, explanation, refusals
from access.declaration.declared import Declared
from access.mapping import IdentityMapping
from access.refusals import Cause, Refusal
from actions import joined
from cluster import access, api, pod_logs
from cluster.errors import errors_as_status
from hook import Hook
from text import command, word

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

    With ``looked_up``, the lines are about one principal, whose remedy is known: others who are
    mapped by now are left out.

    That principal and declared ones come first, then others of accounts that somebody is mapped
    of. Those of all other accounts come last: anybody with an account of AWS can be refused, as
    often as they like.
    """
    application, declared = hook.owner.application, hook.config.declared
    log = pod_logs.read(client, RECENT)
    known = {mapping.canonical for mapping in mapped}
    sets = (each.permission_set for each in declared.entries)
    accounts = {_account(each.arn) for each in (*mapped, *declared.entries)}
    accounts |= {_account(looked_up), *(each.account for each in sets if each)}
    found = refusals.parse(log.lines)
    if looked_up:
        found = [
            each
            for each in found
            if each.cause != Cause.NOT_MAPPED or arn.looked_up(each.arn) not in known
        ]
    none = "nobody was refused in the last hour"
    if not log.covers:
        none = "the logs that there are show nobody who was refused"
    yield "refused in the last hour:" if found else none
    for refusal in _ranked(found, declared, accounts - {""}, looked_up)[:_REASONS]:
        yield _line(refusal)
        principal = arn.looked_up(refusal.arn)
        if refusal.cause != Cause.NOT_MAPPED or principal in ("", looked_up):
            continue
        if principal in known:
            yield "it is mapped by now"
        elif (account := _account(principal)) in accounts:
            given = arn.parse(refusal.arn)
            yield explanation.remedy(given, declared, mapped, times.now(), application)
        else:
            explain = ("juju", "run", f"{application}/leader", "explain-access")
            yield (
                f"no mapping is of account {account}: if you know the account, run: "
                f"{command(*explain, f'arn={refusal.arn}')}"
            )
    if len(found) > _REASONS:
        yield f"{len(found) - _REASONS} more principals or reasons"
    for pod, reason in log.unread.items():
        yield f"the log of pod {pod} is missing: {reason}"
    if log.begin > log.since:
        yield f"the log reaches back to {times.shown(log.begin)}: earlier refusals are not known"


def _ranked(
    found: Iterable[Refusal], declared: Declared, accounts: Collection[str], looked_up: str
) -> list[Refusal]:
    """Return refusals in the order of the list."""
    turns = Counter[str]()

    def rank(refusal: Refusal) -> tuple[object, ...]:
        principal = arn.looked_up(refusal.arn)
        is_first = principal and (principal == looked_up or declared.of(principal))
        # Whoever may assume a role chooses how many sessions it has, so principals take turns.
        turns[refusal.arn] += 1
        is_known = _account(refusal.arn) in accounts
        return not is_first, not is_known, refusal.arn != "", turns[refusal.arn]

    return sorted(found, key=rank)


def _account(text: str) -> str:
    """Return the account of an ARN; empty if ``text`` is none."""
    return "".join(text.split(":", 5)[4:5])


def _line(refusal: Refusal) -> str:
    who = " ".join(
        filter(None, (word(refusal.arn) or "an unknown principal", word(refusal.session)))
    )
    key = f" with access key {refusal.access_key_id}" if refusal.access_key_id else ""
    often = "once" if refusal.count == 1 else f"{refusal.count} times"
    return f"{who}{key}, {often}, the last at {times.shown(refusal.last)}: {refusal.text}"
