# SPDX-License-Identifier: Apache-2.0

"""The rights that come with the mappings of the option: taken back first, given last.

An application whose option gives no rights sends no request for them.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from access import powers, rbac, reserved, rights
from access.mapping import IdentityMapping
from cluster import api
from cluster.mappings import batch, listing
from labels import GRANT, OPTION
from owner import Owner
from statuses import entry as texts

if TYPE_CHECKING:
    from access.declaration.declared import Entry
    from access.declaration.plan import Plan

# What making bindings keeps of the hook's time, for the requests that it begins with.
KEPT_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Given:
    """What became of rights.

    Attributes:
        done: How many bindings were made or deleted.
        pending: How many are left for the next hook.
        problems: Why rights do not count, by their places.
    """

    done: int = 0
    pending: int = 0
    problems: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])


class Rights:
    """The rights of all entries, and the bindings that the cluster has for them.

    ``changes`` is the plan for the mappings; ``found`` are the mappings before it. ``bound`` is
    what `existing` has found; None asks the cluster here.
    """

    def __init__(
        self,
        client: api.Client,
        owner: Owner,
        entries: Collection[Entry],
        changes: Plan,
        found: Sequence[IdentityMapping],
        bound: Sequence[rights.RoleBinding] | None = None,
    ):
        from cluster import role_bindings

        self._client, self._owner, self._changes = client, owner, changes
        self._cluster = role_bindings
        self._entries = [
            each for each in entries if each.rights and each.place not in changes.not_applied
        ]
        leaving = {*changes.delete, *(former for former, _ in changes.create)}
        self._leaving = {each.uid for each in found if each.name in leaving}
        self._uids = {
            mapping.name: mapping.uid for mapping in found if mapping.name not in leaving
        }
        # There may be thousands, and each needs a hash for its name.
        self._asked = {
            place: binding
            for entry in self._entries
            for place, binding in rights.bindings(entry.name, "", entry.rights, OPTION)
        }
        self._keys = {binding.key for binding in self._asked.values()}
        names = {each.name for each in entries if each.place not in changes.not_applied}
        self._found = [
            each
            for each in (role_bindings.find(client, owner) if bound is None else bound)
            # An entry of its name and principal takes a grant's mapping over.
            if (each.source == OPTION and each.mapping not in changes.kept)
            or each.mapping in names
        ]

    def take_back(self) -> Given:
        """Delete the bindings that no entry asks for any more.

        Do this before a mapping loses the group that they name: while a mapping has it, each hook
        looks for such bindings.
        """
        changes: dict[str, batch.Change] = {
            _name(each): functools.partial(self._cluster.delete, self._client, each)
            for each in rights.undeclared(self._found, self._keys, self._leaving)
        }
        return _given(batch.write(changes, self._client.seconds_left_to_write))

    def give(self, applied: batch.Written) -> Given:
        """Make the bindings that are missing, and make those anew that somebody has changed.

        Do this after the mappings are made, because a binding goes with its mapping by its uid.
        ``applied`` is what became of the mappings.
        """
        if self._client.seconds_left < KEPT_SECONDS:
            return Given(pending=len(self._asked))
        refused = applied.refused
        wanted = self._wanted(self._uids_now(refused))
        problems = self.problems()
        missing = rights.to_make({place: b for place, b in wanted.items() if b.uid}, self._found)
        changes: dict[str, batch.Change] = {
            place: functools.partial(
                self._cluster.make, self._client, self._owner, binding, anew=anew
            )
            for place, (binding, anew) in missing.items()
            if problems.get(place) != texts.NAMESPACE_MISSING()
        }
        given = _given(batch.write(changes, self._client.seconds_left_to_write))
        if not applied.pending:
            self._delete_kept()
        never = tuple(f"{place}." for place in refused)
        later = sum(not each.uid and not place.startswith(never) for place, each in wanted.items())
        return Given(given.done, given.pending + later, {**problems, **given.problems})

    def _delete_kept(self) -> None:
        """Delete the bindings of mappings that somebody's finalizer or policy keeps.

        Kubernetes deletes those of all others that this hook has deleted.
        """
        gone = rights.undeclared(self._found, self._keys, ())
        leaving = [each for each in gone if each.uid in self._leaving]
        if not leaving or self._client.seconds_left < KEPT_SECONDS:
            return
        there = {mapping.uid for mapping in listing.find(self._client, newest=True)}
        left: dict[str, batch.Change] = {
            _name(each): functools.partial(self._cluster.delete, self._client, each)
            for each in leaving
            if each.uid in there
        }
        batch.write(left, self._client.seconds_left_to_write)

    def problems(self) -> dict[str, str]:
        """Return what the cluster lacks for rights to count, by their places."""
        missing = rights.to_make(self._wanted(self._uids), self._found)
        problems = self._missing_roles()
        if any(binding.namespace for binding, _ in missing.values()):
            there = self._cluster.namespaces(self._client)
            problems |= {
                place: texts.NAMESPACE_MISSING()
                for place, (binding, _) in missing.items()
                if binding.namespace and binding.namespace not in there
            }
        return problems

    def differences(self) -> dict[str, rights.Difference]:
        """Return how the rights of each mapping would change, by its name."""
        return rights.differences(self._asked.values(), self._found)

    def applied_to(self, bound: rbac.Bindings) -> rbac.Bindings:
        """Return the cluster's bindings as they are once the rights are given."""
        wanted = map(as_bound, self._asked.values())
        return bound.changed({each.key for each in self._found}, wanted)

    def _wanted(self, uids: Mapping[str, str]) -> dict[str, rights.RoleBinding]:
        """Return the bindings that the entries ask for, with their mappings' uids, by place."""
        return {
            place: dataclasses.replace(each, uid=uids.get(each.mapping, ""))
            for place, each in self._asked.items()
        }

    def _uids_now(self, refused: Collection[str]) -> Mapping[str, str]:
        """Return the uids of the mappings with rights, those too that this hook has made."""
        made = [entry for _, entry in self._changes.create if entry.rights]
        if all(entry.place in refused for entry in made):
            return self._uids
        now = listing.find(self._client, newest=True)
        return {mapping.name: mapping.uid for mapping in now if mapping.source == OPTION}

    def _missing_roles(self) -> dict[str, str]:
        """Return for each right whose role the cluster lacks what is wrong, by its place."""
        if not self._asked:
            return {}
        namespaced = any(each.role_kind == rights.ROLE for each in self._asked.values())
        there = self._cluster.roles(self._client, namespaced=namespaced)
        return {
            place: texts.ROLE_MISSING(kind=binding.role_kind, name=binding.role)
            for place, binding in self._asked.items()
            if (binding.namespace if binding.role_kind == rights.ROLE else "", binding.role)
            not in there
        }


def are_declared(entries: Collection[Entry], found: Sequence[IdentityMapping]) -> bool:
    """Return whether rights are declared, or were and are still to be taken back.

    Whoever writes mappings can make a declared one look like a person's, so that counts too.
    """
    return any(entry.rights for entry in entries) or any(
        mapping.source != GRANT and rights.has_own_group(mapping) for mapping in found
    )


def existing(
    client: api.Client, owner: Owner, found: Iterable[IdentityMapping], *, namespaced: bool
) -> list[rights.RoleBinding] | None:
    """Return the bindings that come with mappings, those of grants too.

    Only with ``namespaced`` does this include RoleBindings: whoever may write these in one
    namespace can make their list long, and nobody administers the cluster by them.

    Return None, without a request, if none of the mappings ``found`` has a group for them, be it
    another mapping's.
    """
    if not any(reserved.may_be_own(group) for mapping in found for group in mapping.groups):
        return None
    from cluster import role_bindings

    return role_bindings.find(client, owner, namespaced=namespaced)


def as_bound(binding: rights.RoleBinding) -> rbac.Binding:
    """Return a binding of the charm's as one of the cluster's."""
    # Of any other role, somebody has to look at the rules.
    is_administrator = binding.role == powers.ADMINISTRATOR and not binding.namespace
    return rbac.Binding(
        name=binding.name,
        namespace=binding.namespace,
        role_kind=binding.role_kind,
        role_name=binding.role,
        groups=(binding.group,) if binding.group else (),
        powers=(powers.EVERYTHING,) if is_administrator else (),
    )


def _name(binding: rights.RoleBinding) -> str:
    return f"binding {binding.namespace}/{binding.name}"


def _given(written: batch.Written) -> Given:
    problems = {place: texts.REFUSED(reason=reason) for place, reason in written.refused.items()}
    return Given(written.done, written.pending + written.outdated, problems)
