# SPDX-License-Identifier: Apache-2.0

"""What the charm reads of RBAC's roles and bindings in the API server's answers."""

from __future__ import annotations

import msgspec


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
