# SPDX-License-Identifier: Apache-2.0

"""Who is to have access: the mappings and role bindings that the cluster should have. Pure.

People's mappings are wanted as they are, with the status that lets their principal in. Those of
the option are wanted as it declares them, and a grant's until it ends or somebody revokes it. A
binding is wanted as long as its mapping is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from access import arn, expiry, partitions, rights, subjects
from access.declaration.declared import Declared
from access.declaration.entry import Entry, default_username, lowered, marks
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from access.rights import RoleBinding, has_own_group
from labels import GRANT, OPTION
from statuses import entry as texts

# How many mappings a text names.
_SHOWN = 3
Pair = tuple[IdentityMapping, IdentityMapping]


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

    def only(self, names: Collection[str]) -> Access:
        """Return this with the mappings of these names alone, and what is bound to them."""
        return Access(
            tuple(each for each in self.mappings if each.name in names),
            tuple(each for each in self.bindings if each.mapping in names),
        )


@dataclasses.dataclass(frozen=True)
class State:
    """What the cluster has that decides about access."""

    found: Access  # All mappings, and the bindings that the charm has made for some of them.
    # The role's ARN of each permission set without a suffix whose role is known.
    set_roles: Mapping[PermissionSet, str] = dataclasses.field(
        default_factory=dict[PermissionSet, str]
    )


@dataclasses.dataclass(frozen=True)
class Desired:
    """What is wanted, and what cannot be."""

    access: Access  # The mappings and bindings to have.
    # Where the option declares a mapping, by its name, or a binding, by its key.
    places: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    # Why a part of the option has no effect, by its place.
    not_applied: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])


def lasting(found: Access, declared: Declared, now: datetime) -> Access:
    """Return ``found`` without the access that has ended at ``now``."""
    return found.without(ended(found, declared, now))


def ended(found: Access, declared: Declared, now: datetime) -> dict[str, str]:
    """Return the mappings ``found`` whose access is over at ``now``: by name, when it ended."""
    with_ends = (_with_end(each, declared) for each in found.mappings)
    return {each.name: each.expires for each in with_ends if expiry.has_ended(each, now)}


def ends(found: Access, declared: Declared) -> list[datetime]:
    """Return when each access ends."""
    moments = (expiry.end(_with_end(each, declared)) for each in found.mappings)
    return [moment for moment in moments if moment is not None]


def _with_end(mapping: IdentityMapping, declared: Declared) -> IdentityMapping:
    """Return ``mapping`` with the end that the option gives its principal, if the option made it.

    An end that a hand wrote, or a former option, does not count.
    """
    if mapping.source != OPTION:
        return mapping
    of_option = lowered(marks(mapping)) & declared.ends.keys()
    # An ARN says more than the permission set of its role.
    mark = min(of_option, default=None)
    return dataclasses.replace(mapping, expires=declared.ends[mark]) if mark else mapping


def access(
    declared: Declared, state: State, now: datetime, partition: str = partitions.DEFAULT
) -> Desired:
    """Return the access to have at ``now``. ``partition`` is the authenticator's.

    If the option cannot be read, its mappings stay as they are. If an entry has a fault, so do
    those that it may have made, with their bindings.

    What is declared stays, whatever others create beside it: a mapping of others with the same
    principal changes nothing here, and `access.validity.check` names it as a duplicate. A mapping
    of others that has the name of a declared one gives way to it.
    """
    found = lasting(state.found, declared, now)
    if declared.error:
        return Desired(Access(_effective(found.mappings), tuple(_kept(found.mappings, found))))
    entries, not_applied = _applicable(declared.entries, partition, state.set_roles)
    by_name = {each.name: each for each in state.found.mappings}
    made = {name: _mapping(entry, by_name.get(name)) for name, entry in entries.items()}
    left, keeps = _left_alone(declared, found, entries)
    asked = {
        binding.key: (place, binding)
        for entry in entries.values()
        for place, binding in rights.bindings(entry.name, entry.rights, OPTION)
    }
    bound = [each for _, each in asked.values()]
    return Desired(
        Access((*_effective(left), *made.values()), (*bound, *_kept(left, found))),
        {
            **{name: entry.place for name, entry in entries.items()},
            **{key: place for key, (place, _) in asked.items()},
        },
        {
            **{each.place: each.reason for each in declared.wrong},
            **keeps,
            **not_applied,
        },
    )


def _left_alone(
    declared: Declared, found: Access, entries: Mapping[str, Entry]
) -> tuple[list[IdentityMapping], dict[str, str]]:
    """Return the mappings ``found`` that none of ``entries`` declares, and that stay: those of
    others, and those that an entry with a fault may have made. Return what to say of each such
    entry too, by its place."""
    undeclared = [each for each in found.mappings if each.name not in entries]
    kept = declared.kept([each for each in undeclared if each.source == OPTION])
    names = {name for each in kept.values() for name in each}
    reasons = {
        each.place: texts.KEEPS(problem=each.reason, mapping=_named(kept[each.place]))
        for each in declared.wrong
        if each.place in kept
    }
    return [each for each in undeclared if each.source != OPTION or each.name in names], reasons


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"mapping{'s' * (len(names) > 1)} {', '.join(names[:_SHOWN])}{more}"


def _effective(found: Iterable[IdentityMapping]) -> tuple[IdentityMapping, ...]:
    """Return mappings with the status that lets in whom they name, and nobody else.

    The authenticator writes it too, but leaves the former one in place where it refuses an ARN:
    the former principal would keep the mapping's username and groups.
    """
    return tuple(
        each
        if each.canonical == each.principal
        else dataclasses.replace(each, canonical=each.principal)
        for each in found
    )


def effective(found: Access, these: Collection[IdentityMapping]) -> Access:
    """Return ``found`` with the status that ``these`` mappings should have."""
    names = {each.name for each in these}
    others = tuple(each for each in found.mappings if each.name not in names)
    return dataclasses.replace(found, mappings=(*others, *_effective(these)))


def _kept(mappings: Iterable[IdentityMapping], found: Access) -> list[RoleBinding]:
    """Return the bindings ``found`` that come with ``mappings``, as the charm made them.

    Only the action says which role a grant gave, and only an option that can be read which role
    an entry has. So those in the cluster are kept.
    """
    made = (each for each in mappings if each.source in (GRANT, OPTION))
    names = {each.name for each in made if rights.has_own_group(each)}
    return [each for each in found.bindings if each.mapping in names and rights.is_whole(each)]


def _applicable(
    entries: Iterable[Entry], partition: str, set_roles: Mapping[PermissionSet, str]
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the entries to apply by their names, and why the others are not, by their places."""
    wanted: dict[str, Entry] = {}
    places: dict[str, str] = {}
    not_applied: dict[str, str] = {}
    for declared in entries:
        entry = resolved(declared, partition, set_roles)
        if not entry.principal:
            not_applied[entry.place] = texts.ROLE_UNKNOWN()
        elif wrong := partitions.mismatch(entry.principal.split(":")[1], partition):
            not_applied[entry.place] = wrong
        elif entry.principal in places:
            not_applied[entry.place] = texts.ARN_TWICE(place=places[entry.principal])
        else:
            wanted[entry.name] = entry
            places[entry.principal] = entry.place
    return wanted, not_applied


def resolved(entry: Entry, partition: str, set_roles: Mapping[PermissionSet, str]) -> Entry:
    """Return ``entry`` with the ARN of its permission set's role, if that is known."""
    permission_set = entry.permission_set
    if not permission_set:
        return entry
    given = permission_set.suffix
    role = permission_set.role_arn(partition) if given else set_roles.get(permission_set, "")
    if not role:
        return entry
    return dataclasses.replace(
        entry,
        arn=role,
        principal=arn.canonical_or_empty(role),
        username=entry.username or default_username(role),
    )


def _mapping(entry: Entry, found: IdentityMapping | None) -> IdentityMapping:
    """Return the mapping that ``entry`` declares. An ARN cannot change, so that of ``found`` stays
    spelt as it is."""
    same = found is not None and found.principal == entry.principal
    return IdentityMapping(
        name=entry.name,
        arn=found.arn if found and same else entry.arn,
        username=entry.username,
        canonical=entry.principal,
        groups=(*entry.groups, *([subjects.own_group(entry.name)] if entry.rights else [])),
        source=OPTION,
        expires=entry.expires,
        created=found.created if found and same else "",
    )


@dataclasses.dataclass(frozen=True)
class Changes:
    """What turns the access ``before`` into the one that is ``wanted``: what ends stands first.

    A pair is a mapping as it is, and as it is to be.
    """

    before: Access = dataclasses.field(default=Access(), compare=False)
    wanted: Access = dataclasses.field(default=Access(), compare=False)
    unbind: tuple[RoleBinding, ...] = ()  # Bindings to delete.
    delete: tuple[IdentityMapping, ...] = ()  # Mappings to delete.
    withdraw: tuple[Pair, ...] = ()  # Mappings whose status lets in somebody else than they name.
    # Mappings to delete, each with the one of its name to create instead: an ARN cannot change.
    replace: tuple[Pair, ...] = ()
    update: tuple[Pair, ...] = ()  # Mappings to change, and their status if it is wrong too.
    create: tuple[IdentityMapping, ...] = ()  # Mappings to create.
    activate: tuple[Pair, ...] = ()  # Mappings whose status is empty, so they admit nobody.
    bind: tuple[RoleBinding, ...] = ()  # Bindings to create.

    def only(self, is_chosen: Callable[[str], bool]) -> Changes:
        """Return the changes of the mappings whose names are chosen, and of their bindings."""

        def pairs(found: Iterable[Pair]) -> tuple[Pair, ...]:
            return tuple(pair for pair in found if is_chosen(pair[1].name))

        return Changes(
            self.before,
            self.wanted,
            unbind=tuple(each for each in self.unbind if is_chosen(each.mapping)),
            delete=tuple(each for each in self.delete if is_chosen(each.name)),
            withdraw=pairs(self.withdraw),
            replace=pairs(self.replace),
            update=pairs(self.update),
            create=tuple(each for each in self.create if is_chosen(each.name)),
            activate=pairs(self.activate),
            bind=tuple(each for each in self.bind if is_chosen(each.mapping)),
        )

    @property
    def keys(self) -> set[str]:
        """Return what changes: a mapping by its name, a binding by its key."""
        pairs = (*self.replace, *self.withdraw, *self.update, *self.activate)
        return {
            *(each.name for each in (*self.delete, *self.create)),
            *(new.name for _, new in pairs),
            *(each.key for each in (*self.unbind, *self.bind)),
        }


def changes(found: Access, wanted: Access) -> Changes:
    """Return what turns the access ``found`` into the one that is ``wanted``."""
    before = {each.name: each for each in found.mappings}
    names = {each.name for each in wanted.mappings}
    # Whoever may write mappings may write any number that have ended, so the charm's own go first.
    ours_first = sorted(found.mappings, key=lambda each: each.source == "")
    create, replace = list[IdentityMapping](), list[Pair]()
    update, activate, withdraw = list[Pair](), list[Pair](), list[Pair]()
    bound, bind = _by_key(found.bindings), _by_key(wanted.bindings)
    for new in wanted.mappings:
        old = before.get(new.name)
        if old == new:
            continue
        if not old:
            create.append(new)
        elif old.principal != new.principal:
            replace.append((old, new))
        elif _spec(old) != _spec(new):
            update.append((old, new))
        elif old.canonical:
            withdraw.append((old, new))
        else:
            # One whose status is not written yet lets nobody in.
            activate.append((old, new))
    # Somebody may keep a mapping by a finalizer. So it loses its roles before it is replaced.
    renewed = {new.name for _, new in replace}
    # A binding that was left over is made again, so that another unit that still takes it for
    # one of these deletes no more than the former one.
    renewed |= {new.name for old, new in update if has_own_group(new) and not has_own_group(old)}
    kept = {
        key for key, each in bound.items() if bind.get(key) == each and each.mapping not in renewed
    }
    return Changes(
        found,
        wanted,
        unbind=tuple(each for key, each in bound.items() if key not in kept),
        delete=tuple(each for each in ours_first if each.name not in names),
        withdraw=tuple(withdraw),
        replace=tuple(replace),
        update=tuple(update),
        create=tuple(create),
        activate=tuple(activate),
        bind=tuple(each for key, each in bind.items() if key not in kept),
    )


def _spec(mapping: IdentityMapping) -> IdentityMapping:
    """Return ``mapping`` without its status, for a comparison."""
    return dataclasses.replace(mapping, canonical="")


def _by_key(bindings: tuple[RoleBinding, ...]) -> dict[str, RoleBinding]:
    return {each.key: each for each in bindings}
