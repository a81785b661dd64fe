# SPDX-License-Identifier: Apache-2.0

"""What has to change so that the cluster has the access that is wanted. Pure."""

from __future__ import annotations

import dataclasses

from access.desired import Access
from access.mapping import IdentityMapping
from access.rights import RoleBinding

Pair = tuple[IdentityMapping, IdentityMapping]


@dataclasses.dataclass(frozen=True)
class Changes:
    """The changes, in the order in which to make them: access that ends goes first.

    A pair is a mapping as it is, and as it is to be.

    Attributes:
        unbind: Bindings to delete.
        delete: Mappings to delete.
        withdraw: Mappings whose status lets in somebody else than they name.
        replace: Mappings to delete, each with the one to create in its place: one of the same
            principal, or, because an ARN cannot change, one of the same name.
        update: Mappings to change, and their status if it is wrong too.
        create: Mappings to create.
        activate: Mappings whose status does not let in yet whom they name.
        bind: Bindings to create.
    """

    unbind: tuple[RoleBinding, ...] = ()
    delete: tuple[IdentityMapping, ...] = ()
    withdraw: tuple[Pair, ...] = ()
    replace: tuple[Pair, ...] = ()
    update: tuple[Pair, ...] = ()
    create: tuple[IdentityMapping, ...] = ()
    activate: tuple[Pair, ...] = ()
    bind: tuple[RoleBinding, ...] = ()


def of(found: Access, wanted: Access) -> Changes:
    """Return what turns the access ``found`` into the one that is ``wanted``."""
    before = {each.name: each for each in found.mappings}
    names = {each.name for each in wanted.mappings}
    delete = {each.name: each for each in found.mappings if each.name not in names}
    former = {each.principal: each for each in delete.values() if each.principal}
    create, replace, update = list[IdentityMapping](), list[Pair](), list[Pair]()
    activate, withdraw = list[Pair](), list[Pair]()
    for new in wanted.mappings:
        old = before.get(new.name)
        if old == new:
            continue
        if not old and (renamed := former.pop(new.principal, None)):
            del delete[renamed.name]
            replace.append((renamed, new))
        elif not old:
            create.append(new)
        elif old.principal != new.principal:
            replace.append((old, new))
        elif _spec(old) != _spec(new):
            update.append((old, new))
        else:
            (withdraw if old.canonical else activate).append((old, new))
    bound, bind = _by_key(found.bindings), _by_key(wanted.bindings)
    return Changes(
        tuple(each for key, each in bound.items() if bind.get(key) != each),
        tuple(delete.values()),
        tuple(withdraw),
        tuple(replace),
        tuple(update),
        tuple(create),
        tuple(activate),
        tuple(each for key, each in bind.items() if bound.get(key) != each),
    )


def _spec(mapping: IdentityMapping) -> IdentityMapping:
    """Return ``mapping`` without its status, for a comparison."""
    return dataclasses.replace(mapping, canonical="")


def _by_key(bindings: tuple[RoleBinding, ...]) -> dict[str, RoleBinding]:
    return {each.key: each for each in bindings}
