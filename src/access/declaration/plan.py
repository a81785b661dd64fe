# SPDX-License-Identifier: Apache-2.0

"""What must change so that the cluster has the mappings that the option declares. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from access import arn, partitions, reserved
from access.declaration.declared import Entry, default_username
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from labels import OPTION
from statuses import entry as texts


@dataclasses.dataclass(frozen=True)
class Plan:
    """The changes, what cannot be applied, and what the cluster has then.

    Attributes:
        delete: The names of mappings that the option no longer declares.
        update: Entries whose mapping has another username, other groups, another end or no label
            of the option, each with its mapping's ARN, which may be spelt in another way.
        create: Entries without a mapping, each with the name of the mapping that it replaces, or
            the empty text. The replaced one is deleted first, because an ARN cannot change.
        not_applied: Why an entry is not applied, by its place.
        after: All mappings once the changes are made, the new ones with their canonical ARNs.
        kept: The names of the option's mappings whose entries have a fault.
    """

    delete: tuple[str, ...] = ()
    update: tuple[Entry, ...] = ()
    create: tuple[tuple[str, Entry], ...] = ()
    not_applied: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    after: tuple[IdentityMapping, ...] = ()
    kept: frozenset[str] = frozenset()


def of(
    entries: Iterable[Entry],
    found: Iterable[IdentityMapping],
    partition: str = partitions.DEFAULT,
    roles: Mapping[PermissionSet, str] = MappingProxyType({}),
    kept: Collection[str] = (),
) -> Plan:
    """Return the plan for the mappings ``found`` in the cluster.

    Those of the option that are ``kept`` stay as they are, unless an entry names them.
    ``partition`` is the authenticator's. ``roles`` has the role's ARN of each permission set that
    is declared without its suffix, if the role is known.

    What is declared stays, whatever others create beside it: a mapping of others with the same
    principal changes nothing here, and `access.mappings.check` names it as a duplicate. One with
    the same name and principal becomes the option's: somebody may have taken its label away. One
    with the same name and another principal stays as it is, and its entry is not applied.
    """
    everything = {mapping.name: mapping for mapping in found}
    wanted, not_applied = _applicable(entries, everything, partition, roles)
    declared = {entry.name for entry in wanted.values()}
    left = {
        name
        for name in kept
        if everything[name].source == OPTION
        and name not in declared
        and everything[name].principal not in wanted
    }
    owned = {
        name: mapping
        for name, mapping in everything.items()
        if (mapping.source == OPTION and name not in left) or name in declared
    }
    others = [mapping for name, mapping in everything.items() if name not in owned]
    changes = _changes(owned, wanted)
    after = (*others, *changes.after)
    return dataclasses.replace(changes, not_applied=not_applied, after=after, kept=frozenset(left))


def _applicable(
    entries: Iterable[Entry],
    found: Mapping[str, IdentityMapping],
    partition: str,
    roles: Mapping[PermissionSet, str],
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the entries to apply by their canonical ARNs, and why the others are not.

    ``found`` are all mappings of the cluster by their names.
    """
    wanted: dict[str, Entry] = {}
    not_applied: dict[str, str] = {}
    for declared in entries:
        entry = _resolved(declared, partition, roles)
        principal = entry.principal
        if not principal:
            reason = texts.ROLE_UNKNOWN()
        elif wrong := partitions.mismatch(principal.split(":")[1], partition):
            reason = wrong
        elif principal in wanted:
            reason = texts.ARN_TWICE(place=wanted[principal].place)
        elif _is_in_the_way(found.get(entry.name), principal):
            reason = texts.NAME_TAKEN(name=entry.name)
        else:
            wanted[principal] = entry
            continue
        not_applied[entry.place] = reason
    return wanted, not_applied


def _is_in_the_way(mapping: IdentityMapping | None, principal: str) -> bool:
    """Return whether ``mapping``, with an entry's name, is of others and another principal."""
    if not mapping or mapping.source == OPTION:
        return False
    return mapping.principal != principal


def _resolved(entry: Entry, partition: str, roles: Mapping[PermissionSet, str]) -> Entry:
    """Return ``entry`` with the ARN of its permission set's role, if that is known."""
    permission_set = entry.permission_set
    if not permission_set:
        return entry
    given = permission_set.suffix
    role = permission_set.role_arn(partition) if given else roles.get(permission_set, "")
    if not role:
        return entry
    username = entry.username or default_username(role)
    principal = arn.canonical_or_empty(role)
    return dataclasses.replace(entry, arn=role, principal=principal, username=username)


def _changes(owned: Mapping[str, IdentityMapping], wanted: Mapping[str, Entry]) -> Plan:
    """Return the plan that turns ``owned``, the option's mappings, into those ``wanted``."""
    names = {entry.name for entry in wanted.values()}
    gone = {name: mapping for name, mapping in owned.items() if name not in names}
    former = {mapping.principal: name for name, mapping in gone.items()}
    update: list[Entry] = []
    create: list[tuple[str, Entry]] = []
    after: list[IdentityMapping] = []
    for principal, entry in wanted.items():
        mapping = owned.get(entry.name)
        new = mapping_of(entry)
        if not mapping or mapping.principal != principal:
            replaced = mapping.name if mapping else former.get(principal, "")
            gone.pop(replaced, None)
            create.append((replaced, entry))
        else:
            new = dataclasses.replace(new, arn=mapping.arn, canonical=mapping.canonical)
            if new == mapping:
                new = mapping
            else:
                update.append(dataclasses.replace(entry, arn=mapping.arn))
        after.append(new)
    return Plan(tuple(gone), tuple(update), tuple(create), after=tuple(after))


def mapping_of(entry: Entry) -> IdentityMapping:
    """Return the mapping that ``entry`` declares, as the cluster should have it."""
    return IdentityMapping(
        name=entry.name,
        arn=entry.arn,
        username=entry.username,
        canonical=entry.principal,
        groups=(*entry.groups, *([reserved.own_group(entry.name)] if entry.rights else [])),
        source=OPTION,
        expires=entry.expires,
    )
