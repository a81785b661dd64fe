# SPDX-License-Identifier: Apache-2.0

"""The writer of mappings, bindings and whatever else is wanted: it makes the cluster have them.

`apply` makes one object so, with server-side apply. `make` makes thousands of small changes to
mappings and their bindings, several at a time. Both leave out what is so already, and know what
the server does meanwhile: somebody else writes (409), it has too many requests (429), a policy
refuses, or the hook's time is over. What is left, the next hook finds.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import httpx2
from lightkube.resources import rbac_authorization_v1 as rbac

from access.desired import Changes
from access.mapping import IdentityMapping
from access.rights import RoleBinding, has_own_group
from cluster import api, managed_fields, manifests, objects, references
from cluster.errors import ApiError, Conflict, is_refused, suppress
from labels import EXPIRES, OWNER, PERMISSION_SET, REASON, SOURCE
from owner import Owner
from text import brief

# How many requests write at the same time: more make the API server slower, not faster.
WRITERS = 8
# How long a writer leaves a server alone that has too many requests.
RETRY_SECONDS = 1.0

# It returns False where there is nothing to delete any more.
Change = Callable[[], bool | None]


class Outdated(Exception):
    """A change no longer fits its object, which others have changed or deleted."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of changes. A mapping is known by its name, a binding by its key.

    Attributes:
        done: What was changed.
        pending: What is left for the next hook.
        outdated: What no longer fits: its object was changed, deleted or created anew since.
        gone: What was to be deleted, and somebody else has deleted it.
        refused: Why the server refuses a change.
    """

    done: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    outdated: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])

    @property
    def unfinished(self) -> frozenset[str]:
        """Return what another hook has to look at again."""
        return self.pending | self.outdated


def _together(results: Sequence[Result]) -> Result:
    """Return what became of the changes of all ``results``."""
    return Result(
        frozenset[str]().union(*(each.done for each in results)),
        frozenset[str]().union(*(each.pending for each in results)),
        frozenset[str]().union(*(each.outdated for each in results)),
        frozenset[str]().union(*(each.gone for each in results)),
        {key: reason for each in results for key, reason in each.refused.items()},
    )


def shown(key: str) -> str:
    """Return what a key of a `Result` is, as a person reads it."""
    return f"binding {key.lstrip('/')}" if "/" in key else f"mapping {key}"


def apply(
    client: api.Client, manifest: manifests.Manifest, stored: api.Object | None = None
) -> api.Object:
    """Apply one object server-side unless it is so already. Return it as the cluster has it now.

    Every field of ``manifest`` becomes the charm's, whoever set it. ``stored`` is the object as
    this hook has read it; without it, this reads it.

    Raises:
        errors.Conflict: its resourceVersion is not the one that ``manifest`` has, if any.
    """
    what = manifests.reference(manifest)
    stored = stored or objects.get(client, what)
    if stored:
        # Where its controller has just written it, the next hook adopts it.
        with contextlib.suppress(Conflict):
            stored = adopt(client, what, stored)
    if stored and managed_fields.is_applied(manifest, stored, api.MANAGER):
        return stored
    if stored and stored.get("roleRef") != manifest.get("roleRef"):
        # Kubernetes lets nobody change that of a binding.
        objects.delete(client, what)
    return client.apply(objects.kind(what), what.name, manifest, namespace=what.namespace)


def adopt(client: api.Client, what: references.ObjectReference, stored: api.Object) -> api.Object:
    """Make all fields ours that `kubectl apply` has set, and return the object then.

    Our next apply removes those that the charm does not set. Until then they would stay, and an
    action of the policy would stand beside its opposite.

    Raises:
        errors.Conflict: the object has changed since it was read.
    """
    patch = managed_fields.adoption(stored["metadata"], api.MANAGER)
    if not patch:
        return stored
    return client.patch(objects.kind(what), what.name, patch, namespace=what.namespace)


def prune(client: api.Client, owner: Owner, desired: Iterable[manifests.Manifest]) -> None:
    """Delete the objects of ``owner`` that an option asked for and no longer does."""
    wanted = {manifests.reference(manifest) for manifest in desired}
    for what in references.OPTIONAL:
        if what in wanted:
            continue
        stored = objects.get(client, what)
        if stored and owner.owns(objects.mark_of(stored)):
            objects.delete(client, what)


def make(client: api.Client, owner: Owner, changes: Changes, *, keep: float = 0.0) -> Result:
    """Make ``changes``, as long as the hook's time lasts, but for the seconds to ``keep`` of it.

    Access that ends goes first: nothing is added before all that is to go has been tried. A
    binding follows its mapping, and gives nobody anything without it. A binding that is still
    there would give its role to whoever gets the group of its mapping, so nobody gets that then.
    """
    ended = _make_all(
        {
            **{each.name: _partial(_delete, client, each) for each in changes.delete},
            **{new.name: _partial(_set_status, client, new) for _, new in changes.withdraw},
            # A binding gives nobody anything without its mapping, and may be one of thousands that
            # the editor of a namespace made up.
            **{each.key: _partial(_unbind, client, each) for each in changes.unbind},
        },
        client.seconds_left_to_write - keep,
    )
    stuck = {each.mapping for each in changes.unbind if each.key not in ended.done}
    begun = _make_all(
        {
            **{
                old.name: _partial(_update, client, owner, old, new, stuck)
                for old, new in changes.update
            },
            **{
                new.name: _partial(_replace, client, owner, old, new, stuck)
                for old, new in changes.replace
            },
            **{
                each.name: _partial(_create, client, owner, each, stuck) for each in changes.create
            },
            **{new.name: _partial(_set_status, client, new) for _, new in changes.activate},
        },
        client.seconds_left_to_write - keep,
    )
    unfinished = begun.unfinished
    without = begun.refused.keys() | unfinished
    bound = _make_all(
        {
            each.key: _partial(_bind, client, owner, each)
            for each in changes.bind
            if each.mapping not in without
        },
        client.seconds_left_to_write - keep,
    )
    waiting = frozenset(each.key for each in changes.bind if each.mapping in unfinished)
    return _together([ended, begun, bound, Result(pending=waiting)])


def _partial(function: Callable[..., bool | None], *arguments: Any) -> Change:
    return functools.partial(function, *arguments)


def _make_all(changes: Mapping[str, Change], seconds: float) -> Result:
    """Make ``changes`` in their order, several at a time; each may be made twice.

    No request begins after ``seconds``.
    """
    if not changes:
        return Result()
    from concurrent.futures import ThreadPoolExecutor

    deadline = time.monotonic() + seconds
    # Several threads may take from a deque.
    left = deque(changes.items())
    writers = min(WRITERS, len(left))
    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(_make_some, left, deadline) for _ in range(writers)]
    results = [result for writer in running for result in writer.result()]
    return _together([*results, Result(pending=frozenset(key for key, _ in left))])


def _make_some(left: deque[tuple[str, Change]], deadline: float) -> list[Result]:
    """Make changes from ``left`` until it is empty or the time is over. Return what became of
    each."""
    results: list[Result] = []
    while time.monotonic() < deadline:
        try:
            key, change = left.popleft()
        except IndexError:
            break
        try:
            results.append(_made(key, change))
        except httpx2.TimeoutException:
            # It may have been made, so it does no harm to make it again.
            left.append((key, change))
            break
        except _TooManyRequestsError:
            left.append((key, change))
            time.sleep(RETRY_SECONDS)
    return results


class _TooManyRequestsError(Exception):
    """The server has too many requests (429)."""


def _made(key: str, change: Change) -> Result:
    """Make one change, and return what became of it."""
    here = frozenset((key,))
    try:
        if change() is False:
            return Result(gone=here)
    except Outdated:
        return Result(outdated=here)
    except Conflict as error:
        if is_refused(409, str(error)):
            return Result(refused={key: brief(error)})
        return Result(pending=here)
    except ApiError as error:
        if is_refused(error.code, str(error)):
            return Result(refused={key: brief(error)})
        if error.code == 429:
            raise _TooManyRequestsError from error
        if error.code in (404, 422):
            return Result(outdated=here)
        raise
    return Result(done=here)


def _delete(client: api.Client, mapping: IdentityMapping) -> bool:
    """Delete ``mapping``, unless it has changed since it was read. Return whether it was there.

    A list may be moments old, so this reads what is stored, and the server deletes no other.
    It lets people in until it is gone, so this takes off the finalizers that would keep it.
    """
    stored = client.get(objects.mapping(), mapping.name, small=True)
    if not stored:
        return False
    if not _is_same(stored, mapping):
        raise Outdated
    version = stored["metadata"]["resourceVersion"]
    if client.delete(objects.mapping(), mapping.name, version=version, small=True):
        with suppress(404):
            client.patch(objects.mapping(), mapping.name, objects.FREED, small=True)
    return True


def _is_same(stored: api.Object, mapping: IdentityMapping) -> bool:
    """Return whether what is ``stored`` names the principal of ``mapping``, and ends with it."""
    metadata, spec = stored["metadata"], objects.part(stored, "spec")
    return (
        str(spec.get("arn") or "") == mapping.arn
        and objects.part(metadata, "labels").get(SOURCE, "") == mapping.source
        and objects.part(metadata, "annotations").get(EXPIRES, "") == mapping.expires
    )


def _replace(
    client: api.Client,
    owner: Owner,
    old: IdentityMapping,
    new: IdentityMapping,
    stuck: Collection[str],
) -> None:
    _delete(client, old)
    _create(client, owner, new, stuck)


def _create(
    client: api.Client, owner: Owner, mapping: IdentityMapping, stuck: Collection[str]
) -> None:
    """Create a mapping with its status: the authenticator writes that of five a second.

    Leave it to the next hook if the mapping's name is among those that are ``stuck``: a binding
    to its group is to go, and is still there.

    To replace the status costs the server a fifth less than to patch it. Patch it if the mapping
    has changed since: the authenticator may write the status too.
    """
    if mapping.name in stuck:
        raise Outdated
    created = client.create(objects.mapping(), manifests.identity_mapping(owner, mapping))
    if created["spec"]["arn"] == mapping.arn:
        status = {**created, "status": {"canonicalARN": mapping.canonical}}
        try:
            return client.update(objects.mapping().Status, mapping.name, status)
        except Conflict:
            pass
    return _set_status(client, mapping)


def _update(
    client: api.Client,
    owner: Owner,
    old: IdentityMapping,
    new: IdentityMapping,
    stuck: Collection[str],
) -> None:
    """Change one mapping, but give none that is ``stuck`` its own group, as `_create` has it.

    An ARN cannot change, so the server refuses this for another's.
    """
    if new.name in stuck and has_own_group(new) and not has_own_group(old):
        raise Outdated
    annotations = {
        OWNER: owner.mark,
        EXPIRES: new.expires or None,
        PERMISSION_SET: new.permission_set or None,
        **({REASON: new.reason} if new.reason else {}),
    }
    change = {
        "metadata": {"labels": {SOURCE: new.source}, "annotations": annotations},
        "spec": {"arn": new.arn, "username": new.username, "groups": list(new.groups)},
    }
    client.patch(objects.mapping(), new.name, change, small=True)
    if old.canonical != new.canonical:
        _set_status(client, new)


def _set_status(client: api.Client, mapping: IdentityMapping) -> None:
    """Write ``status.canonicalARN``, unless the mapping has another ARN by now."""
    client.patch(
        objects.mapping().Status,
        mapping.name,
        [
            {"op": "test", "path": "/spec/arn", "value": mapping.arn},
            {"op": "add", "path": "/status", "value": {"canonicalARN": mapping.canonical}},
        ],
        small=True,
    )


def _bind(client: api.Client, owner: Owner, binding: RoleBinding) -> None:
    """Create a binding. A name belongs to one of the charm's, so whatever else has it goes."""
    path, manifest = _path(binding), manifests.role_binding(owner, binding)
    try:
        client.post(path, manifest)
    except Conflict:
        _unbind(client, binding)
        client.post(path, manifest)


def _unbind(client: api.Client, binding: RoleBinding) -> None:
    """Delete a binding, if it is there.

    It counts until it is gone. By a finalizer, whoever may write bindings in a namespace could
    keep even one of a role that they may not bind. So this takes the finalizers out.
    """
    resource, namespace = _resource(binding), binding.namespace or None
    if client.delete(resource, binding.name, namespace=namespace, small=True):
        with suppress(404):
            client.patch(resource, binding.name, objects.FREED, namespace=namespace, small=True)


def _path(binding: RoleBinding) -> str:
    """Return where bindings of this kind are."""
    if binding.namespace:
        return f"/apis/{references.RBAC}/v1/namespaces/{binding.namespace}/rolebindings"
    return f"/apis/{references.RBAC}/v1/clusterrolebindings"


def _resource(binding: RoleBinding) -> type[Any]:
    return rbac.RoleBinding if binding.namespace else rbac.ClusterRoleBinding
