# SPDX-License-Identifier: Apache-2.0

"""What people call a resource, and what the API server calls it. Pure.

RBAC compares names as they are. So a role that allows ``pods`` says nothing of ``pod``, and a
question about ``pod`` would always be answered with no.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Iterator, Sequence

# Nothing has a longer name, and a comparison with all names takes long for long texts.
_LONGEST = 253


@dataclasses.dataclass(frozen=True)
class Resource:
    """A resource as the API server names it.

    Attributes:
        name: Its plural.
        group: Its API group; empty for the core group.
        others: Its other names: its kind, its singular and its short names, in lower case.
        subresources: Its subresources, such as ``log``.
        namespaced: Whether its objects are in namespaces.
    """

    name: str
    group: str = ""
    others: frozenset[str] = frozenset()
    subresources: frozenset[str] = frozenset()
    namespaced: bool = True

    def __str__(self) -> str:
        return ".".join(filter(None, (self.name, self.group)))


# Resources that only roles name: no URL has them, so the server does not list them.
# Source: Kubernetes' pages on authorization, impersonation, the kubelet and certificates.
_ONLY_IN_ROLES = (
    Resource("users", namespaced=False),
    Resource("groups", namespaced=False),
    Resource("uids", "authentication.k8s.io", namespaced=False),
    Resource("userextras", "authentication.k8s.io", namespaced=False),
    Resource("signers", "certificates.k8s.io", namespaced=False),
)
_NODE_SUBRESOURCES = frozenset(
    ("checkpoint", "configz", "healthz", "log", "metrics", "pods", "spec", "stats")
)
_ANY = "*"


def resolve(asked: str, found: Iterable[Resource]) -> tuple[Resource, str]:
    """Return the resource that ``asked`` names, and its subresource if it names one.

    ``found`` is what the API server has, in its order: of several groups with the same name, the
    first counts, as for kubectl.

    Raises:
        ValueError: there is no such resource; the text has the nearest.
    """
    known = [_of_roles(each) for each in found] + [*_ONLY_IN_ROLES]
    text, _, subresource = asked.partition("/")
    name, _, group = text.lower().partition(".")
    if name == _ANY:
        return Resource(_ANY, group), subresource
    matching = [each for each in known if not group or each.group == group]
    named = [each for each in matching if each.name == name]
    resource = next(iter(named or (each for each in matching if name in each.others)), None)
    if not resource:
        raise ValueError(_unknown(asked, text.lower(), map(str, known), _names(known)))
    if subresource not in ("", _ANY, *resource.subresources):
        names = [f"{resource}/{each}" for each in sorted(resource.subresources)]
        raise ValueError(_unknown(asked, f"{resource}/{subresource.lower()}", names, names))
    return resource, subresource


def _of_roles(resource: Resource) -> Resource:
    if (resource.name, resource.group) != ("nodes", ""):
        return resource
    subresources = resource.subresources | _NODE_SUBRESOURCES
    return dataclasses.replace(resource, subresources=subresources)


def _names(known: Sequence[Resource]) -> Iterator[str]:
    for each in known:
        yield each.name
        yield from sorted(each.others)


def _unknown(asked: str, text: str, *candidates: Iterable[str]) -> str:
    names = dict.fromkeys(name for some in candidates for name in some)
    nearest = difflib.get_close_matches(text, names, 1) if len(text) <= _LONGEST else []
    hint = f"did you mean {nearest[0]}?" if nearest else "see: kubectl api-resources"
    return f"the cluster has no resource {asked[:_LONGEST]}; {hint}"
