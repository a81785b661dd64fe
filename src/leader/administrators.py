# SPDX-License-Identifier: Apache-2.0

"""Who can administer the cluster: each is announced once, and the last does not go unnoticed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import times
from access import administrators, expiry, rbac
from access.administrators import ADMINISTRATOR, SYSTEM
from access.desired import Access, Changes
from access.mapping import IdentityMapping
from access.rights import RoleBinding
from cluster import api, bindings, events
from cluster.errors import errors_as_status
from errors import Unready
from juju import control_plane
from juju.peers import Peers
from owner import Owner
from text import fingerprint, one_line, status_line, word

logger = logging.getLogger(__name__)

# How many of them the databag remembers as announced. Whoever makes more has been seen by then.
MOST_REMEMBERED = 200


def of(
    found: Iterable[IdentityMapping], bound: Iterable[RoleBinding], partition: str
) -> list[IdentityMapping]:
    """Return the mappings by which somebody can administer the cluster, whatever people bind.

    ``bound`` are the bindings that come with them.
    """
    return administrators.of(found, rbac.Bindings(map(_as_bound, bound)), partition)


def last(client: api.Client, partition: str, found: Access, wanted: Access, steps: Changes) -> str:
    """Return the warning that ``steps`` take away the last mapping that certainly administers the
    cluster, or that nobody can tell; empty if there is nothing to warn of.

    This reads the cluster's bindings, unless the mappings alone tell.
    """
    try:
        with errors_as_status():
            return _last(client, partition, found, wanted, steps)
    except Unready as reason:
        return unknown(reason)


def unknown(reason: Unready) -> str:
    """Return the warning that nobody can tell who is left, for this ``reason``."""
    return f"cannot tell who can administer the cluster: {status_line(reason)}"


def _last(
    client: api.Client, partition: str, found: Access, wanted: Access, steps: Changes
) -> str:
    touched = {each.name for each in steps.delete}
    touched |= {old.name for old, _ in (*steps.replace, *steps.update)}
    touched |= {each.mapping for each in (*steps.unbind, *steps.bind)}
    now = times.now()
    before, after = (
        [each for each in some.mappings if not expiry.has_ended(each, now)]
        for some in (found, wanted)
    )
    changed = [each for each in before if each.name in touched]
    if not changed or administrators.certain(after, rbac.Bindings(()), partition):
        return ""
    bound, everybody = bindings.find(client, control_plane.application())
    if everybody:
        return ""
    made = bindings.with_powers(client, map(_as_bound, steps.bind)) if steps.bind else ()
    then = bound.changed({each.key for each in steps.unbind}, made)
    if administrators.certain(after, then, partition):
        return ""
    left = administrators.of(after, then, partition)
    taken = administrators.certain(changed, bound, partition)
    if not left:
        # Whoever could only perhaps, or for a while, was the last all the same.
        taken = administrators.of(changed, bound, partition)
    return administrators.warning(taken, left)


def _as_bound(binding: RoleBinding) -> rbac.Binding:
    """Return a binding of the charm's as one of the cluster's."""
    return rbac.Binding(
        name=binding.name,
        namespace=binding.namespace,
        role_kind=binding.role_kind,
        role_name=binding.role,
        groups=(binding.group,) if binding.group else (),
        powers=administrators.powers_of_own(binding),
    )


def announce(
    client: api.Client, owner: Owner, peers: Peers, found: Sequence[IdentityMapping]
) -> None:
    """Leave an event and a line in the log for each of the mappings ``found``, whoever made it.

    A hook announces the first `events.MOST` that are new, and the next hook goes on. A mapping is
    remembered once its event is there: Kubernetes forgets events after an hour.
    """
    keys = {_key(mapping): mapping for mapping in found}
    known = peers.shared.superusers & keys.keys()
    room = MOST_REMEMBERED - len(known)
    new = {key: each for key, each in keys.items() if key not in known}
    chosen = dict(list(new.items())[: min(room, events.MOST)])
    written = events.write(client, owner, [_note(each) for each in chosen.values()])
    done = dict(list(chosen.items())[:written])
    for mapping in done.values():
        logger.warning("%s", one_line(_text(mapping)))
    peers.change(superusers=known | done.keys())


def _key(mapping: IdentityMapping) -> str:
    return fingerprint(f"{mapping.name}\0{mapping.principal}")


def _note(mapping: IdentityMapping) -> events.Note:
    text = _text(mapping)
    return events.Note("SuperuserMapped", "Map", mapping, text, warns=True)


def _text(mapping: IdentityMapping) -> str:
    made = {"option": "the option mappings", "grant": "grant-access"}.get(
        mapping.source, "kubectl"
    )
    return (
        f"mapping {mapping.name}, made by {made}, lets {word(mapping.arn)} administer the "
        f"cluster: a group of it is {rbac.MASTERS}, or can become that, or has the ClusterRole "
        f"{ADMINISTRATOR} in the whole cluster or in {SYSTEM}"
    )
