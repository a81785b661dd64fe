# SPDX-License-Identifier: Apache-2.0

"""What the API server is: its version, its time, and what resources it has.

Servers since Kubernetes 1.27 list the resources of all groups at once. Others are asked group by
group, as long as the hook's time lasts. Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import datetime
import email.utils
from collections import defaultdict
from collections.abc import Iterator

import msgspec

from access.resources import Resource
from cluster import answers, api

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
_ACCEPT = ",".join((_AGGREGATED.format("v2"), _AGGREGATED.format("v2beta1"), "application/json"))
_CORE = "/api"
_GROUPS = "/apis"


class _Kind(msgspec.Struct):
    kind: str = ""


class _Subresource(msgspec.Struct):
    subresource: str


class _Listed(msgspec.Struct, rename="camel"):
    """A resource in an answer for all groups."""

    resource: str
    scope: str
    singular_resource: str = ""
    response_kind: _Kind | None = None
    short_names: list[str] | None = None
    subresources: list[_Subresource] | None = None


class _Versioned(msgspec.Struct):
    resources: list[_Listed] | None = None


class _GroupMetadata(msgspec.Struct):
    name: str | None = None


class _AggregatedGroup(msgspec.Struct):
    metadata: _GroupMetadata
    versions: list[_Versioned] | None = None


class _GroupVersion(msgspec.Struct, rename="camel"):
    group_version: str


class _Group(msgspec.Struct, rename="camel"):
    name: str
    preferred_version: _GroupVersion


class _Answer(msgspec.Struct):
    """The answer for all groups, with ``items``, or else the names of ``groups``."""

    items: list[_AggregatedGroup] | None = None
    groups: list[_Group] | None = None


class _OneListed(msgspec.Struct, rename="camel"):
    """A resource, or a subresource such as ``pods/log``, in an answer for one group."""

    name: str
    namespaced: bool
    singular_name: str = ""
    kind: str = ""
    short_names: list[str] | None = None


class _OneGroup(msgspec.Struct):
    resources: list[_OneListed] | None = None


def version(client: api.Client) -> tuple[str, datetime.datetime | None]:
    """Return the server's version, such as ``v1.28.15``, and its time by the answer's header
    ``Date``: whole seconds, in UTC. The time is None if the server does not say it."""
    answer = client.get_raw("/version")
    name = answers.decode(answer.content, answers.Version).git_version
    try:
        at = email.utils.parsedate_to_datetime(answer.headers["Date"])
        return name, at.astimezone(datetime.timezone.utc)
    except (LookupError, OverflowError, TypeError, ValueError):
        return name, None


def find(client: api.Client) -> list[Resource]:
    """Return the resources of every group: first the core group's, then in the server's order."""
    return [*_find(client, _CORE), *_find(client, _GROUPS)]


def _find(client: api.Client, path: str) -> Iterator[Resource]:
    answer = client.read(path, _Answer, accept=_ACCEPT)
    if answer.items is not None:
        for group in answer.items:
            # The server's preferred version comes first.
            for version in group.versions or ():
                yield from (
                    _resource(each, group.metadata.name or "") for each in version.resources or ()
                )
    elif path == _CORE:
        yield from _of_group(client, "", f"{_CORE}/v1")
    else:
        for group in answer.groups or ():
            version = group.preferred_version.group_version
            yield from _of_group(client, group.name, f"{_GROUPS}/{version}")


def _resource(found: _Listed, group: str) -> Resource:
    names = (found.singular_resource, found.response_kind and found.response_kind.kind)
    return Resource(
        found.resource,
        group,
        frozenset(each.lower() for each in (*names, *(found.short_names or ())) if each),
        frozenset(each.subresource for each in found.subresources or ()),
        namespaced=found.scope == "Namespaced",
    )


def _of_group(client: api.Client, group: str, path: str) -> Iterator[Resource]:
    import httpx2

    try:
        listed = client.read(path, _OneGroup).resources or ()
    except httpx2.HTTPStatusError as error:
        # 503: the program that serves this group is down. Others do not wait for it.
        if error.response.status_code not in (404, 503):
            raise
        return
    subresources: dict[str, set[str]] = defaultdict(set)
    for each in listed:
        name, _, subresource = each.name.partition("/")
        if subresource:
            subresources[name].add(subresource)
    for each in listed:
        if "/" in each.name:
            continue
        names = (each.singular_name, each.kind, *(each.short_names or ()))
        yield Resource(
            each.name,
            group,
            frozenset(name.lower() for name in names if name),
            frozenset(subresources[each.name]),
            namespaced=each.namespaced,
        )
