# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""What RBAC holds, and what the API server itself says that a user may do.

Call every function inside `api.errors_as_status`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from lightkube.models.authorization_v1 import ResourceAttributes, SubjectAccessReviewSpec
from lightkube.resources.authorization_v1 import SubjectAccessReview
from lightkube.resources.rbac_authorization_v1 import ClusterRoleBinding, RoleBinding

from access import rbac
from access.rbac import Answer, Question
from cluster import api
from errors import Waiting


def find(client: api.Client) -> tuple[rbac.Bindings, str]:
    """Return every ClusterRoleBinding and RoleBinding of the cluster, and a warning.

    The warning is empty unless everybody may do everything. Then the bindings do not matter.
    """
    found = rbac.Bindings(
        binding for kind in (ClusterRoleBinding, RoleBinding) for binding in _list(client, kind)
    )
    return found, rbac.open_to_all(ask(client, "", [rbac.EVERYBODY], rbac.ANYTHING))


def ask(client: api.Client, username: str, groups: Sequence[str], question: Question) -> Answer:
    """Ask the API server whether a user in these groups may do something."""
    attributes = ResourceAttributes(**dataclasses.asdict(question))
    spec = SubjectAccessReviewSpec(
        user=username, groups=list(groups), resourceAttributes=attributes
    )
    status = client.ask(SubjectAccessReview(spec=spec)).status
    if not status:
        raise Waiting("waiting for the Kubernetes API: no answer to a SubjectAccessReview")
    return Answer(status.allowed, status.reason or status.evaluationError or "")


class _Metadata(msgspec.Struct):
    name: str
    namespace: str = ""


class _Reference(msgspec.Struct):
    kind: str
    name: str


class _Binding(msgspec.Struct):
    metadata: _Metadata
    roleRef: _Reference  # noqa: N815  (Kubernetes' name)
    subjects: list[_Reference] | None = None


class _List(msgspec.Struct):
    items: list[_Binding]


def _list(client: api.Client, kind: type[Any]) -> Iterator[rbac.Binding]:
    for found in client.everywhere(kind, _List).items:
        subjects = found.subjects or ()
        yield rbac.Binding(
            name=found.metadata.name,
            namespace=found.metadata.namespace,
            role_kind=found.roleRef.kind,
            role_name=found.roleRef.name,
            users=tuple(s.name for s in subjects if s.kind == "User"),
            groups=tuple(s.name for s in subjects if s.kind == "Group"),
        )
