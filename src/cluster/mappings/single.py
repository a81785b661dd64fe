# SPDX-License-Identifier: Apache-2.0

"""One IAMIdentityMapping: read it, write it, delete it, while others may change it too.

What `listing.find` returns may be moments old. What is read here is what is stored, and
a write fails if it has changed since. Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Generator, Mapping, Sequence
from typing import Any, cast

from access.mapping import IdentityMapping
from cluster import api
from cluster.crd import kind
from cluster.errors import Conflict, reason_of
from cluster.mappings import canonical
from cluster.mappings.batch import is_outdated, is_refused
from labels import EXPIRES, SOURCE
from text import brief

# The finalizers of an object that was deleted with ``--cascade=foreground`` or ``orphan``.
_OF_COLLECTOR = {"foregroundDeletion", "orphan"}


@dataclasses.dataclass(frozen=True)
class Stored:
    """A mapping as it is stored; ``version`` is its resourceVersion.

    ``leaving`` says whether it is deleted already, and stays until others let it go. To delete it
    again is enough where it only waits for its dependents.
    """

    mapping: IdentityMapping
    version: str
    leaving: bool = False


class RefusedError(Exception):
    """A webhook, a policy or a finalizer of others is against a change; the text says why."""


def read(client: api.Client, name: str) -> Stored | None:
    """Return the mapping ``name``; None if there is none."""
    found = client.get(kind(), name)
    if not found:
        return None
    metadata, spec = found["metadata"], _fields(found.get("spec"))
    labels = _fields(metadata.get("labels"))
    annotations = _fields(metadata.get("annotations"))
    groups: Any = spec.get("groups")
    mapping = IdentityMapping(
        name=name,
        arn=str(spec.get("arn") or ""),
        username=str(spec.get("username") or ""),
        canonical=str(_fields(found.get("status")).get("canonicalARN") or ""),
        groups=tuple(map(str, cast("list[Any]", groups) if isinstance(groups, list) else ())),
        source=labels.get(SOURCE, ""),
        expires=annotations.get(EXPIRES, ""),
        uid=metadata.get("uid", ""),
    )
    leaving = "deletionTimestamp" in metadata and _OF_COLLECTOR.isdisjoint(
        metadata.get("finalizers") or ()
    )
    return Stored(mapping, metadata["resourceVersion"], leaving)


def create(
    client: api.Client, mapping: IdentityMapping, annotations: Mapping[str, str | None]
) -> str:
    """Create ``mapping``, with ``annotations`` that are not None, and return its uid.

    Raises:
        errors.Conflict: another has its name.
    """
    resource = kind()
    given = {key: text for key, text in annotations.items() if text is not None}
    labels = {SOURCE: mapping.source}
    metadata = {"name": mapping.name, "labels": labels, "annotations": given}
    created = client.create(resource, resource(metadata=metadata, spec=_spec(mapping)))
    return created["metadata"].get("uid", "")


def change(
    client: api.Client,
    stored: Stored,
    mapping: IdentityMapping,
    annotations: Mapping[str, str | None],
) -> None:
    """Change ``stored`` to ``mapping``, with ``annotations``; None removes an annotation.

    Raises:
        errors.Conflict: it has changed since it was read, or is gone.
    """
    metadata = {"resourceVersion": stored.version, "annotations": annotations}
    patch = {"metadata": metadata, "spec": _spec(mapping)}
    client.patch(kind(), mapping.name, patch)


def delete(client: api.Client, stored: Stored) -> None:
    """Delete ``stored``, if it is still there.

    Raises:
        errors.Conflict: it has changed since it was read.
        RefusedError: others do not let it go.
    """
    with _raised_as_refused():
        if client.delete(kind(), stored.mapping.name, version=stored.version):
            raise RefusedError("a finalizer of others keeps it")


def correct(client: api.Client, mapping: IdentityMapping) -> bool:
    """Write the ``status.canonicalARN`` that belongs to the mapping's ARN.

    Return False if the mapping has another ARN by now, or is gone.

    Raises:
        RefusedError: others do not let it change.
    """
    from lightkube import ApiError

    try:
        with _raised_as_refused():
            canonical.write_one(client, mapping.name, mapping.arn, mapping.principal)
    except ApiError as error:
        if not is_outdated(error.response.status_code):
            raise
        return False
    return True


def _spec(mapping: IdentityMapping) -> dict[str, str | Sequence[str]]:
    return {"arn": mapping.arn, "username": mapping.username, "groups": mapping.groups}


def _fields(part: Any) -> Mapping[str, Any]:
    # A mapping from before there was a schema may hold anything.
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


@contextlib.contextmanager
def _raised_as_refused() -> Generator[None]:
    from lightkube import ApiError

    try:
        yield
    except Conflict as error:
        if not is_refused(409, str(error)):
            raise
        raise RefusedError(brief(str(error))) from error
    except ApiError as error:
        reason = reason_of(error)
        if not is_refused(error.response.status_code, reason):
            raise
        raise RefusedError(brief(reason)) from error
