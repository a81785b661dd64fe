# SPDX-License-Identifier: Apache-2.0

"""Who is to have access: the mappings and role bindings that the cluster should have. Pure.

People's mappings are wanted as they are, with the status that lets their principal in. Those of
the option are wanted as it declares them, and a grant's until it ends or somebody revokes it. A
binding is wanted as long as its mapping is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import times
from access import arn, subjects
from access.declaration.declared import Declared
from access.declaration.entry import Entry, default_username
from access.mapping import IdentityMapping, RoleBinding, binding_of, bindings_of, name_of
from access.permission_sets import PermissionSet
from owner import GRANT, OPTION
from statuses import entry as texts


@dataclasses.dataclass(frozen=True)
class Access:
    """Mappings, and the bindings that come with them: those in the cluster, or those wanted."""

    mappings: tuple[IdentityMapping, ...] = ()
    bindings: tuple[RoleBinding, ...] = ()

    def without(self, names: Collection[str]) -> Access:
        """Return this without the mappings of these names, and without what is bound to them."""
        return Access(
            tuple(each for each in self.mappings if each.name not in names),
            tuple(each for each in self.bindings if each.mapping not in names),
        )


@dataclasses.dataclass(frozen=True)
class Desired:
    """What is wanted, and what the option cannot have yet."""

    access: Access  # The mappings and bindings to have.
    # Where the option declares a mapping, by its name, or a binding, by its key.
    places: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    # Why an entry of the option has no mapping yet, by its place.
    not_applied: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])


def access(
    declared: Declared,
    found: Access,
    set_roles: Mapping[PermissionSet, str],
    now: datetime,
) -> Desired:
    """Return the access to have at ``now``.

    ``found`` is all that the cluster has, and ``set_roles`` are the ARNs of the roles that are
    known of permission sets. If the option has a fault, what it made stays as it is.

    What is declared stays, whatever others create beside it: a mapping of others with the same
    principal changes nothing here, and `access.problems.find` names it as a duplicate. A mapping
    of others that has the name of a declared one gives way to it.
    """
    there = found.without(ended(found.mappings, declared, now))
    if declared.faults:
        return Desired(effective(there.mappings, there))
    entries, not_applied = dict[str, Entry](), dict[str, str]()
    for each in declared.entries:
        entry = with_role(each, set_roles)
        if not entry.principal:
            not_applied[entry.place] = texts.ROLE_UNKNOWN()
        elif not entry.has_ended(now):
            entries[entry.name] = entry
    by_name = {each.name: each for each in found.mappings}
    made = tuple(_mapping(entry, by_name.get(name)) for name, entry in entries.items())
    asked = {
        binding.key: (place, binding)
        for entry in entries.values()
        for place, binding in bindings_of(entry.name, entry.rights, OPTION)
    }
    others = [e for e in there.mappings if e.source != OPTION and e.name not in entries]
    left = effective(others, there)
    return Desired(
        Access(
            (*left.mappings, *made), (*left.bindings, *(binding for _, binding in asked.values()))
        ),
        {
            **{name: entry.place for name, entry in entries.items()},
            **{key: place for key, (place, _) in asked.items()},
        },
        not_applied,
    )


def end(mapping: IdentityMapping, declared: Declared) -> datetime | None:
    """Return when the access of ``mapping`` ends; None if it never does.

    A mapping that a good option declares ends when the option says, whatever a hand wrote. Every
    other ends when its annotation says, if that is a time.
    """
    entry = None if declared.faults else declared.of(mapping.principal)
    is_declared = entry and mapping.name == name_of(mapping.principal)
    text = entry.expires if entry and is_declared else mapping.expires
    try:
        return times.parse(text) if text else None
    except ValueError:
        return None


def ended(
    mappings: Iterable[IdentityMapping], declared: Declared, now: datetime
) -> dict[str, datetime]:
    """Return the ``mappings`` whose access is over at ``now``: by name, when it ended."""
    ends = {each.name: end(each, declared) for each in mappings}
    return {name: moment for name, moment in ends.items() if moment and moment <= now}


def effective(mappings: Iterable[IdentityMapping], found: Access) -> Access:
    """Return ``mappings`` with the status that lets in whom they name, and nobody else; and the
    bindings ``found`` that come with them, as the charm made these.

    The authenticator writes the status too, but leaves the former one in place where it refuses an
    ARN: the former principal would keep the mapping's username and groups. And only the action
    says which role a grant gave, and only a good option which role an entry has.
    """
    effective = tuple(
        dataclasses.replace(each, canonical=each.principal)
        if each.canonical != each.principal
        else each
        for each in mappings
    )
    ours = (each for each in effective if each.source in (GRANT, OPTION))
    names = {each.name for each in ours if subjects.own_group(each.name) in each.groups}
    bound = (
        each
        for each in found.bindings
        # Its name tells its mapping and its role.
        if each.mapping in names
        and each == binding_of(each.mapping, each.role, each.namespace, each.source)
    )
    return Access(effective, tuple(bound))


def with_role(entry: Entry, set_roles: Mapping[PermissionSet, str]) -> Entry:
    """Return ``entry`` with the ARN of its permission set's role, if only a login tells that and
    it is known."""
    role = set_roles.get(entry.permission_set, "") if entry.permission_set else ""
    if entry.principal or not role:
        return entry
    return dataclasses.replace(
        entry,
        arn=role,
        principal=arn.canonicalize(role),
        username=entry.username or default_username(role),
    )


def _mapping(entry: Entry, found: IdentityMapping | None) -> IdentityMapping:
    """Return the mapping that ``entry`` declares. An ARN cannot change, so that of ``found`` stays
    spelt as it is."""
    same = found if found and found.principal == entry.principal else None
    return IdentityMapping(
        name=entry.name,
        arn=same.arn if same else entry.arn,
        username=entry.username,
        canonical=entry.principal,
        groups=(*entry.groups, *([subjects.own_group(entry.name)] if entry.rights else [])),
        source=OPTION,
        expires=entry.expires,
    )
