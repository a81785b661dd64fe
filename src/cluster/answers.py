# SPDX-License-Identifier: Apache-2.0

"""What the charm reads of the API server's answers, checked where they are decoded.

Past this place, an answer has the parts that the charm reads, each of its type. So an exception
elsewhere is a bug of the charm, and is told as one. Parts that the charm does not read may be
anything. Add a part here before you read it.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Generator
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, cast

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
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class _Managed(msgspec.Struct, rename="camel"):
    manager: str | None = None
    operation: str | None = None
    subresource: str | None = None
    fieldsV1: dict[str, Any] | None = None  # noqa: N815  (Kubernetes' name)


class _Metadata(msgspec.Struct, rename="camel"):
    name: str
    resource_version: str
    uid: str = ""
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None
    generation: int | None = None
    managed_fields: list[_Managed] | None = None


class _Object(msgspec.Struct):
    metadata: _Metadata


class _Secret(_Object):
    data: dict[str, str] | None = None


class _Port(msgspec.Struct):
    port: int


class _ServiceSpec(msgspec.Struct, rename="camel"):
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    selector: dict[str, str] | None = None
    ports: list[_Port] | None = None


class _Service(_Object, kw_only=True):
    spec: _ServiceSpec


class _Named(msgspec.Struct):
    name: str


class _KeyReference(msgspec.Struct):
    key: str = ""


class _Source(msgspec.Struct, rename="camel"):
    secret_key_ref: _KeyReference = msgspec.field(default_factory=_KeyReference)


class _Variable(_Named, rename="camel"):
    value: str = ""
    value_from: _Source = msgspec.field(default_factory=_Source)


class _Container(_Named):
    image: str
    env: list[_Variable] | None = None


class _PodSpec(msgspec.Struct, rename="camel"):
    containers: list[_Container]
    image_pull_secrets: list[_Named] | None = None


class _Template(msgspec.Struct):
    spec: _PodSpec


class _DeploymentSpec(msgspec.Struct):
    template: _Template
    replicas: int = 1


class _Progress(msgspec.Struct, rename="camel"):
    reason: str | None = None
    last_update_time: _Time | None = None


class _DeploymentStatus(msgspec.Struct, rename="camel"):
    observed_generation: int | None = None
    replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    conditions: list[_Progress] | None = None


class _Deployment(_Object, kw_only=True):
    spec: _DeploymentSpec
    status: _DeploymentStatus | None = None


class _Condition(msgspec.Struct):
    type: str
    status: str


class _DefinitionStatus(msgspec.Struct):
    conditions: list[_Condition] | None = None


class _Definition(_Object):
    status: _DefinitionStatus | None = None


class _PolicyBindingSpec(msgspec.Struct, rename="camel"):
    validation_actions: list[str] | None = None


class _PolicyBinding(_Object, kw_only=True):
    spec: _PolicyBindingSpec


_KINDS: dict[str, type[_Object]] = {
    "CustomResourceDefinition": _Definition,
    "Deployment": _Deployment,
    "Secret": _Secret,
    "Service": _Service,
    "ValidatingAdmissionPolicyBinding": _PolicyBinding,
}


class _ArnSpec(msgspec.Struct):
    arn: str


class Mapping(_Object, kw_only=True):
    """A mapping that the charm has just created. Others may have any spec."""

    spec: _ArnSpec


class Listed(msgspec.Struct, Generic[T]):
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


def as_object(content: bytes, kind: str, shape: type[msgspec.Struct] | None = None) -> Any:
    """Return an answer that is an object of ``kind``, with all its parts.

    ``shape`` says which parts the charm reads, if not those of every object of this kind.
    """
    with decoding():
        found: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
        if "metadata" not in found:
            raise Waiting(waiting.NOT_KUBERNETES())
        checked = msgspec.convert(found, shape or _KINDS.get(kind, _Object))
        for managed in cast("_Object", checked).metadata.managed_fields or ():
            _check_fields(managed.fieldsV1 or {})
        return found


def _check_fields(fields: dict[str, Any]) -> None:
    for inner in fields.values():
        if not isinstance(inner, dict):
            raise TypeError(type(inner).__name__)
        _check_fields(cast("dict[str, Any]", inner))
