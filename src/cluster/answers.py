# SPDX-License-Identifier: Apache-2.0

"""What the charm reads of the API server's answers, decoded in one place.

An answer that cannot be decoded is not Kubernetes', and raises `errors.Waiting`.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Generator
from typing import Any, Generic, TypeVar

import msgspec

from errors import Waiting
from statuses import waiting
from text import brief

logger = logging.getLogger(__name__)

T = TypeVar("T")

# What Python raises where an answer lacks a part, or has one of another type, size or depth.
# lightkube raises KeyError for a refusal without a content type.
_UNEXPECTED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class ObjectList(msgspec.Struct, Generic[T]):
    """The objects of one kind."""

    items: list[T]


class _Keepers(msgspec.Struct):
    finalizers: list[str] | None = None


class Dropped(msgspec.Struct):
    """What is left of a deleted object: nothing unless a finalizer keeps it."""

    metadata: _Keepers = msgspec.field(default_factory=_Keepers)


class Version(msgspec.Struct, rename="camel"):
    """The server's version."""

    git_version: str


class _Column(msgspec.Struct):
    name: str


class _Row(msgspec.Struct):
    cells: list[str | None]


class Table(msgspec.Struct, rename="camel"):
    """The table that `kubectl get` prints."""

    column_definitions: list[_Column]
    rows: list[_Row]


class Name(msgspec.Struct):
    """What any object is called; a cluster-scoped one has no namespace."""

    name: str
    namespace: str = ""


class Named(msgspec.Struct):
    """An object of which nothing but its name is read."""

    metadata: Name


class _Metadata(Name):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _Reference(Name, kw_only=True):
    kind: str


class Binding(msgspec.Struct, rename="camel"):
    """A ClusterRoleBinding or a RoleBinding."""

    metadata: _Metadata
    role_ref: _Reference
    subjects: list[_Reference] | None = None


class Rule(msgspec.Struct, rename="camel"):
    """A rule of a role."""

    verbs: list[str]
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None


class Role(msgspec.Struct):
    """A ClusterRole or a Role."""

    metadata: Name
    rules: list[Rule] | None = None


@contextlib.contextmanager
def decoding() -> Generator[None]:
    """Raise what goes wrong as `errors.Waiting`: something else than Kubernetes answers.

    Only what decodes an answer belongs inside.
    """
    try:
        yield
    except msgspec.MsgspecError as error:
        raise Waiting(waiting.NOT_DECODED(kind=brief(error))) from error
    except _UNEXPECTED as error:
        # The traceback without its message, which may quote the answer.
        place = "".join(traceback.format_tb(error.__traceback__))
        logger.warning("%s: %s at\n%s", waiting.NOT_KUBERNETES(), type(error).__name__, place)
        raise Waiting(waiting.NOT_DECODED(kind=type(error).__name__)) from error


def decode(content: bytes, into: type[T]) -> T:
    """Return an answer as ``into``."""
    with decoding():
        return msgspec.json.decode(content, type=into)


def as_object(content: bytes) -> dict[str, Any]:
    """Return an answer that is an object, with all its parts."""
    found = decode(content, dict[str, Any])
    if not isinstance(found.get("metadata"), dict):
        raise Waiting(waiting.NOT_KUBERNETES())
    return found
