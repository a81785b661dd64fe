# SPDX-License-Identifier: Apache-2.0

"""Mappings and their bindings in the cluster: read them, and make them what is wanted.

The leader alone writes them, in its hooks and its actions, and Juju runs one of these at a time.
Others act between two requests, and answers are lost. So no answer is interpreted: after the
writes `make` reads again, and the difference is what is left.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

from lightkube.resources.rbac_authorization_v1 import ClusterRoleBinding, RoleBinding

from access.changes import Changes, changes
from access.desired import Access
from access.mapping import BINDING_NAME, IdentityMapping
from access.mapping import RoleBinding as Binding
from access.subjects import OWN
from cluster import api, manifests, objects
from cluster.api import SLOW_SECONDS
from cluster.errors import ApiError, errors_as_status, suppress
from errors import Unready, Waiting
from owner import EXPIRES, REASON, SOURCE
from statuses import waiting
from text import brief, first

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
# How many requests write at the same time: more make the API server slower, not faster.
WRITERS = 8
# How many of many changes the log names.
MOST_LOGGED = 20
Write = Callable[[], object]
_NOTHING = dict[str, datetime]()


def read(client: api.Client) -> Access:
    """Return all mappings, and the bindings that the charm has made for some of them."""
    # A mapping is made before its bindings, so none of these comes without its own.
    bound = tuple(role_bindings(client))
    return Access(tuple(mappings(client)), bound)


def mappings(client: api.Client) -> list[IdentityMapping]:
    """Return every IAMIdentityMapping of the cluster, whoever made it, once its storage is ready.

    For about a second after the CRD came or changed, the server answers 429, and another of
    several servers 404.
    """
    deadline = time.monotonic() + SLOW_SECONDS
    while True:
        try:
            return list(map(_mapping, client.list(objects.mapping())))
        except ApiError as error:
            if error.code not in (404, 429):
                raise
        if time.monotonic() > deadline:
            raise Waiting(waiting.CRD_NOT_SERVED())
        time.sleep(POLL_SECONDS)


def _mapping(found: api.Object) -> IdentityMapping:
    metadata, spec, status = found["metadata"], _map(found, "spec"), _map(found, "status")
    annotations = objects.annotations_of(found)
    groups: object = spec.get("groups") or []
    listed = cast("list[object]", groups) if isinstance(groups, list) else [None]
    names = tuple(each for each in listed if isinstance(each, str))
    is_readable = len(names) == len(listed)
    return IdentityMapping(
        name=metadata["name"],
        arn=str(spec.get("arn") or ""),
        username=str(spec.get("username") or ""),
        canonical=str(status.get("canonicalARN") or ""),
        groups=names if is_readable else (),
        source=_source(found),
        expires=annotations.get(EXPIRES, ""),
        reason=annotations.get(REASON, ""),
        is_readable=is_readable,
        uid=metadata["uid"],
    )


def _map(mapping: api.Object, part: str) -> api.Object:
    """Return a part of a mapping; empty if it is no map, as before there was a schema."""
    found = mapping.get(part)
    return cast("api.Object", found) if isinstance(found, dict) else {}


def _source(found: api.Object) -> str:
    labels: dict[str, str] = found["metadata"].get("labels") or {}
    return labels.get(SOURCE, "")


def role_bindings(client: api.Client) -> list[Binding]:
    """Return the bindings that the charm has made for mappings, of the option and of grants."""
    return [
        _binding(found)
        for resource in (ClusterRoleBinding, RoleBinding)
        for found in client.list(resource, labels=SOURCE)
        # Anybody who may make a binding may give it the label, and a name that no URL can have.
        if BINDING_NAME.fullmatch(found["metadata"]["name"])
    ]


def _binding(found: api.Object) -> Binding:
    metadata, role = found["metadata"], found["roleRef"]
    subjects: list[api.Object] = found.get("subjects") or []
    is_group = len(subjects) == 1 and subjects[0]["kind"] == "Group"
    group: str = subjects[0]["name"] if is_group else ""
    owners: list[api.Object] = metadata.get("ownerReferences") or []
    return Binding(
        name=metadata["name"],
        namespace=metadata.get("namespace", ""),
        # Each that the charm makes is of a ClusterRole.
        role=role["name"] if role["kind"] == "ClusterRole" else f"{role['kind']}/{role['name']}",
        group=group if group.startswith(OWN) else "",
        source=_source(found),
        owner=owners[0]["uid"] if owners else "",
    )


class Left(NamedTuple):
    """Why a change is still to be made."""

    why: str
    is_said: bool = False  # Whether the server says so.


LATE, UNSAID = Left("no time was left"), Left("others change it")


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of changes: what two looks tell. A mapping is known by its name, a binding by
    its key."""

    before: Access
    after: Access
    left: Mapping[str, Left] = dataclasses.field(default_factory=dict[str, Left])
    made: int = 0  # How many changes were made.

    @property
    def said(self) -> dict[str, str]:
        """Return why each change is left of which the server says why."""
        return {key: left.why for key, left in self.left.items() if left.is_said}

    @property
    def goes_on(self) -> bool:
        """Return whether only time is missing: then the next hook gets further."""
        return bool(self.made) and LATE in self.left.values()


def make(
    client: api.Client,
    before: Access,
    wanted: Access,
    why: str,
    *,
    ended: Mapping[str, datetime] = _NOTHING,
) -> Result:
    """Make the access that there was ``before`` the one that is ``wanted``.

    The log gives ``why`` as the reason, but of access that has ``ended``, by the mappings' names.

    It takes half of the time that the hook has left: the rest is for another look, and for what
    follows. What others make meanwhile is left to the next hook.

    Raise as a read of the API server does if nobody can say what it has.
    """
    steps = changes(before, wanted)
    if not steps.keys:
        return Result(before, before)
    # A hook may die before it tells more.
    for line in first(steps.lines(why, ended), MOST_LOGGED):
        logger.info("%s", line)
    failed = _write_all(client, before, steps, time.monotonic() + client.seconds_left / 2)
    after = read(client)
    still = changes(after, wanted)
    # A mapping that somebody has made anew is another one, and what people delete is theirs.
    former, there = {e.uid for e in before.mappings}, {e.name for e in after.mappings}
    others = {e.name for e in still.end if e.uid not in former}
    others |= {e.name for e in still.change if not e.source and e.name not in there}
    # A binding waits for its mapping, so that tells more.
    left_keys = sorted((steps.keys & still.keys) - others, key=lambda key: ("/" in key, key))
    reasons = {key: failed.get(key, UNSAID) for key in left_keys}
    return Result(before, after, reasons, len(steps.keys) - len(reasons))


def _write_all(
    client: api.Client, found: Access, steps: Changes, deadline: float
) -> dict[str, Left]:
    """Make the changes ``steps`` of what was ``found``. Return why those failed that did.

    What goes comes first, but for three quarters of the time at most, and what others have made
    goes last: whoever may write mappings or bindings may write any number that have to go.
    """
    end: dict[str, Write] = {
        each.name: functools.partial(objects.remove, client, objects.mapping(), each.name)
        for each in steps.end
    }
    leftovers = steps.leftovers
    there = {each.name: each for each in found.mappings if each.name not in end}
    uids = {name: each.uid for name, each in there.items()}

    def write(mapping: IdentityMapping) -> None:
        uids[mapping.name] = _write(client, there.get(mapping.name), mapping)

    def bind(binding: Binding) -> None:
        _bind(client, binding, uids[binding.mapping])

    quarter = (deadline - time.monotonic()) / 4
    failed = _run({e: end[e] for e in end if e not in leftovers}, deadline - 2 * quarter)
    own_first = sorted(steps.unbind, key=lambda each: uids.get(each.mapping) != each.owner)
    unbind: dict[str, Write] = {
        each.key: functools.partial(_unbind, client, each) for each in own_first
    }
    failed |= _run(unbind, deadline - quarter)
    # One that is still there has another ARN.
    change = [each for each in steps.change if each.name not in failed]
    failed |= _run({each.name: functools.partial(write, each) for each in change}, deadline)
    bound = [each for each in steps.bind if not {each.key, each.mapping} & failed.keys()]
    failed |= {each.key: LATE for each in steps.bind if failed.get(each.mapping) == LATE}
    failed |= _run({each.key: functools.partial(bind, each) for each in bound}, deadline)
    last = {
        key: delete
        for key, delete in (end | unbind).items()
        if key in leftovers or failed.get(key) == LATE
    }
    return failed | _run(last, deadline)


def _run(writes: Mapping[str, Write], deadline: float) -> dict[str, Left]:
    """Make ``writes``, several at a time, until the ``deadline``. Return why those failed that
    did."""
    if not writes:
        return {}
    from concurrent.futures import ThreadPoolExecutor

    def attempt(write: Write) -> Left | None:
        return LATE if time.monotonic() > deadline else _attempt(write)

    with ThreadPoolExecutor(min(WRITERS, len(writes))) as pool:
        reasons = dict(zip(writes, pool.map(attempt, writes.values()), strict=True))
    return {key: reason for key, reason in reasons.items() if reason}


def _attempt(write: Write) -> Left | None:
    """Make one write, and return why it failed; None if it did not."""
    try:
        with errors_as_status():
            write()
    except Unready as reason:
        refusal = reason.__cause__
        if not isinstance(refusal, ApiError):
            return Left(str(reason))
        if refusal.code == 409:
            return UNSAID
        return Left(brief(f"{refusal.code} {refusal}"), is_said=True)
    return None


def _write(client: api.Client, there: IdentityMapping | None, wanted: IdentityMapping) -> str:
    """Create or change a mapping, write its status, and return its UID.

    The authenticator writes the status too, of five mappings a second.
    """
    manifest = manifests.identity_mapping(wanted)
    uid, canonical = there.uid if there else "", there.canonical if there else ""
    if not there:
        uid = client.create(objects.mapping(), manifest)["metadata"]["uid"]
    elif dataclasses.replace(there, canonical=wanted.canonical) != wanted:
        marks = {EXPIRES: wanted.expires or None, REASON: wanted.reason or None}
        metadata = {"labels": manifest["metadata"]["labels"], "annotations": marks}
        change = {"metadata": metadata, "spec": manifest["spec"]}
        client.patch(objects.mapping(), wanted.name, change)
    if canonical != wanted.canonical:
        status = {"status": {"canonicalARN": wanted.canonical}}
        client.patch(objects.mapping().Status, wanted.name, status)
    return uid


def _bind(client: api.Client, binding: Binding, owner: str) -> None:
    """Create a binding. A name belongs to one of the charm's, so whatever else has it goes."""
    manifest = manifests.role_binding(binding, owner)
    resource, namespace = _place(binding)
    with suppress(409):
        client.create(resource, manifest, namespace=namespace)
        return
    _unbind(client, binding)
    client.create(resource, manifest, namespace=namespace)


def _unbind(client: api.Client, binding: Binding) -> None:
    """Delete a binding. It counts until it is gone, so this takes out finalizers too."""
    resource, namespace = _place(binding)
    objects.remove(client, resource, binding.name, namespace=namespace)


def _place(binding: Binding) -> tuple[type[Any], str | None]:
    """Return the class of a binding, and its namespace if it has one."""
    if not binding.namespace:
        return ClusterRoleBinding, None
    return RoleBinding, binding.namespace


def shown(key: str) -> str:
    """Return what a key of a `Result` is, as a person reads it."""
    return f"binding {key.lstrip('/')}" if "/" in key else f"mapping {key}"
