# SPDX-License-Identifier: Apache-2.0

"""Which mappings let somebody administer the cluster, or make himself an administrator. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from access import mappings, powers, rbac, table
from access.mapping import IdentityMapping
from text import one_line

# How many mappings a text names.
_SHOWN = 3
# What the API server gives to a group before it looks at any binding.
_BUILT_IN = rbac.Binding("", "", "", "", groups=(rbac.MASTERS,), powers=(powers.EVERYTHING,))


def of(
    found: Iterable[IdentityMapping],
    bindings: rbac.Bindings,
    partition: str,
) -> list[IdentityMapping]:
    """Return the mappings by which somebody can administer the cluster, or come to do so, by one
    of ``bindings`` or without any.

    A mapping that lets nobody in does not count: a made-up one would hide that the last
    administrator is gone. Any other fault of a mapping changes nothing here.
    """
    able = rbac.Bindings([_BUILT_IN, *bindings.with_powers()])
    return [
        each
        for each in found
        if able.any_of(*table.identity(each)) and not mappings.refused(each, partition)
    ]


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
