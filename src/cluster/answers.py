# SPDX-License-Identifier: Apache-2.0

"""What the charm reads of the API server's answers, decoded in one place.

Each type has only the fields that the charm reads, and the others are not decoded.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from errors import Waiting
from statuses import waiting
from text import brief

T = TypeVar("T")

# What msgspec raises where an answer is not what Kubernetes writes.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)


def decode(content: bytes, into: type[T]) -> T:
    """Return an answer as ``into``. Raise `errors.Waiting` if something other than Kubernetes
    wrote it."""
    try:
        return msgspec.json.decode(content, type=into)
    except _UNREADABLE as error:
        raise Waiting(waiting.NOT_KUBERNETES(cause=brief(error))) from error


class _Status(msgspec.Struct):
    message: str


def reason(content: bytes) -> str:
    """Return why Kubernetes refuses a request; empty if something else does."""
    try:
        return msgspec.json.decode(content, type=_Status).message
    except _UNREADABLE:
        return ""


class ObjectList(msgspec.Struct, Generic[T]):
    """The objects of one kind."""

    items: list[T]


class _Keepers(msgspec.Struct):
    finalizers: list[str] | None = None


class Dropped(msgspec.Struct):
    """What is left of a deleted object: nothing unless a finalizer keeps it."""

    metadata: _Keepers = msgspec.field(default_factory=_Keepers)


# Threads read these at once, and msgspec crashes if two of them decode the first of a class. A
# decoder makes it ready.
for _each in (_Status, Dropped):
    msgspec.json.Decoder(_each)


class Version(msgspec.Struct, rename="camel"):
    """The server's version."""

    git_version: str


class Name(msgspec.Struct):
    """What any object is called; a cluster-scoped one has no namespace."""

    name: str
    namespace: str = ""


class _Owner(msgspec.Struct):
    uid: str


class _Metadata(Name, rename="camel"):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    uid: str = ""
    owner_references: list[_Owner] = []


class Mapping(msgspec.Struct):
    """An IAMIdentityMapping. Before there was a schema, its parts could be anything."""

    metadata: _Metadata
    spec: Any = None
    status: Any = None


class _Reference(Name, kw_only=True):
    kind: str


class Binding(msgspec.Struct, rename="camel"):
    """A ClusterRoleBinding or a RoleBinding."""

    metadata: _Metadata
    role_ref: _Reference
    subjects: list[_Reference] | None = None


class _Rule(msgspec.Struct, rename="camel"):
    verbs: list[str]
    api_groups: list[str] = []
    resources: list[str] = []
    resource_names: list[str] = []


class Role(msgspec.Struct):
    """A ClusterRole or a Role."""

    metadata: Name
    rules: list[_Rule] | None = None

    @property
    def allows_everything(self) -> bool:
        """Return whether one of its rules allows everything on all objects."""
        return any(
            "*" in rule.verbs
            and "*" in rule.api_groups
            and "*" in rule.resources
            and not rule.resource_names
            for rule in self.rules or ()
        )


class PodMetadata(_Metadata, rename="camel"):
    """A pod's metadata, with the time at which its kubelet kills it, if it is ending."""

    deletion_timestamp: datetime | None = None


class Condition(msgspec.Struct):
    """A condition of a pod."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class Pending(msgspec.Struct):
    """Why a container waits."""

    reason: str = ""
    message: str = ""


class _ContainerState(msgspec.Struct):
    waiting: Pending | None = None


class _ContainerStatus(msgspec.Struct):
    state: _ContainerState = msgspec.field(default_factory=_ContainerState)


class PodStatus(msgspec.Struct, rename="camel"):
    """What its kubelet and the scheduler say of a pod."""

    phase: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    conditions: list[Condition] = []
    container_statuses: list[_ContainerStatus] = []


class Pod(msgspec.Struct):
    """A pod."""

    metadata: PodMetadata
    status: PodStatus = msgspec.field(default_factory=PodStatus)


class _NodeSpec(msgspec.Struct):
    provider_id: str = msgspec.field(default="", name="providerID")


class Node(msgspec.Struct):
    """A node, with what its kubelet or a cloud's controller says of its machine."""

    spec: _NodeSpec = msgspec.field(default_factory=_NodeSpec)


class Event(msgspec.Struct, rename="camel"):
    """An event of a kubelet's."""

    reason: str = ""
    message: str = ""
    last_timestamp: datetime | None = None


class _Allowed(msgspec.Struct, rename="camel"):
    allowed: bool = False
    reason: str = ""
    evaluation_error: str = ""


class SubjectAccessReview(msgspec.Struct):
    """Whether a user may do something."""

    status: _Allowed


class _Authenticated(msgspec.Struct):
    authenticated: bool = False
    error: str = ""


class TokenReview(msgspec.Struct):
    """Whether a token lets somebody in."""

    status: _Authenticated
