# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Which mappings let somebody administer the cluster, or make himself an administrator. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence

from access import expiry, mappings, rbac, table
from access.mapping import IdentityMapping
from text import one_line

# How many mappings a text names.
_SHOWN = 3


def masters(
    found: Iterable[IdentityMapping], partition: str, now: datetime.datetime
) -> list[IdentityMapping]:
    """Return the mappings that let somebody in, now or later, as one who may do everything."""
    return [
        each for each in found if mappings.can_administer(each) and _lets_in(each, partition, now)
    ]


def of(
    found: Collection[IdentityMapping],
    bindings: rbac.Bindings,
    partition: str,
    now: datetime.datetime,
) -> list[IdentityMapping]:
    """Return the mappings by which somebody can administer the cluster, or come to do so."""
    able = {row.name for row in table.rows(found, {}, bindings) if row.administrator_by}
    able |= {mapping.name for mapping in masters(found, partition, now)}
    return [each for each in found if each.name in able and _lets_in(each, partition, now)]


def _lets_in(mapping: IdentityMapping, partition: str, now: datetime.datetime) -> bool:
    """Return whether nothing about the mapping itself keeps people from logging in by it.

    Whoever may write mappings could otherwise hide with a broken one that the last is gone.
    """
    if expiry.has_ended(mapping, now):
        return False
    return mapping.name not in mappings.check([mapping], partition).problems


def warning(taken: Sequence[IdentityMapping]) -> str:
    """Return the warning that mappings ``taken`` away were the last; empty if none are taken."""
    if not taken:
        return ""
    named = [f"{mapping.name} ({mapping.arn})" for mapping in taken[:_SHOWN]]
    if len(taken) > _SHOWN:
        named.append(f"{len(taken) - _SHOWN:,} more")
    return one_line(
        f"takes away the last mapping that can administer the cluster: {', '.join(named)}; the "
        "control plane's kubeconfig /home/ubuntu/config still can"
    )
