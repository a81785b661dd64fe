# SPDX-License-Identifier: Apache-2.0

"""`explain-access`: why a principal may log in or may not, and what RBAC gives to it then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import times
from access import arn, desired, explanation, partitions, problems, rbac
from access.mapping import IdentityMapping, identity
from actions import MAX_BYTES, joined, list_refusals
from checks import webhook
from cluster import access, api, bindings
from cluster.errors import errors_as_status
from hook import Hook
from juju import control_plane
from text import cut, one_line

# How many near misses are shown: thousands of accounts may have a role of the same name.
_MISSES = 5


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``explanation``, a line for each link of the chain, and its ends as single values."""
    given = arn.parse(params["arn"])
    with errors_as_status():
        client = hook.client
        # What is learned is compared with what the leader wrote a moment ago.
        found = access.mappings(client)
        lines, results = _explain(client, given, hook, found)
        if results["admitted"] == "no":
            lines += list_refusals.lines(client, hook, found, results["principal"])
    results = {key: cut(text, MAX_BYTES) for key, text in results.items()}
    return {"explanation": joined(lines), **results}


def _explain(
    client: api.Client,
    given: arn.Principal,
    hook: Hook,
    found: Sequence[IdentityMapping],
) -> tuple[list[str], dict[str, str]]:
    """Return the lines of the chain from ``given``, and its ends."""
    option, declared = hook.config.partition, hook.config.declared
    looked_up = arn.login(str(given))
    foreign = partitions.mismatch(looked_up.partition, option)
    # Of several, the authenticator uses any.
    named = (each for each in found if each.canonical == str(looked_up))
    matches = [] if foreign else sorted(named, key=lambda each: each.name)
    bound, warning = (
        bindings.find(client, control_plane.application()) if matches else (rbac.Bindings(()), "")
    )
    wrong = problems.find(found, option)
    ways = list[explanation.Way]()
    for mapping in matches:
        who, problem = identity(mapping, given), wrong.get(mapping.name, "")
        grants, refused = bound.of(who.username, who.groups), problems.refused(mapping)
        end = desired.end(mapping, declared)
        ways.append(explanation.Way(mapping, problem, who, grants, refused, end))
    lines = [*explanation.begin(given, looked_up)]
    if own := webhook.own_tokens(webhook.api_server(hook.machine)):
        lines.append(f"tokens that the API server checks itself ({own}) are not looked at")
    if foreign:
        lines.append(f"the login is refused: {foreign}")
    if ways:
        now = times.now()
        lines += explanation.ways(ways, bound.of("", [rbac.EVERYBODY]), warning, now)
    elif not foreign:
        lines += ["the login is refused (Unauthorized): no mapping names it"]
        lines += islice(explanation.near_misses(looked_up, found), _MISSES)
        lines += [
            f"mapping {each.name} let it in, and ended at {each.at}"
            for each in hook.peers.shared.ended
            if arn.looked_up(each.arn) == str(looked_up)
        ]
        if declared.faults and not declared.of(str(looked_up)):
            lines += [f"nothing of the option mappings is applied: {declared.problem}"]
        application = hook.owner.application
        lines += [explanation.remedy(given, declared, found, times.now(), application)]
    let_in = [way for way in ways if not way.refused]
    admitted = "yes" if let_in else "no"
    return lines, {"principal": str(looked_up), "admitted": admitted, **_ends(ways)}


def _ends(ways: Sequence[explanation.Way]) -> dict[str, str]:
    """Return what the principal becomes and may, where that is certain."""
    results = {"mapping": ",".join(way.mapping.name for way in ways)} if ways else {}
    if len(ways) != 1:
        return results
    (way,) = ways
    results["username"] = one_line(way.identity.username)
    results["groups"] = one_line(",".join(way.identity.groups))
    results["roles"] = one_line(explanation.roles(way.grants))
    return results
