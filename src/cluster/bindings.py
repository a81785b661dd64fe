# SPDX-License-Identifier: Apache-2.0

"""What RBAC holds, and what the API server itself says that a user may do.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from lightkube.resources.authorization_v1 import SubjectAccessReview
from lightkube.resources.rbac_authorization_v1 import (
    ClusterRole,
    ClusterRoleBinding,
    RoleBinding,
)

from access import rbac
from cluster import api

# How the user of a service account is called: with its namespace and its name behind this. To the
# API server, whoever gets that name has what the account has.
SERVICE_ACCOUNT = "system:serviceaccount:"
# The question whether everybody may do everything.
_EVERYTHING = {
    "user": "",
    "groups": [rbac.EVERYBODY],
    "resourceAttributes": {"verb": "*", "resource": "*", "group": "*"},
}


def find(client: api.Client, control_plane: str) -> tuple[rbac.Bindings, str]:
    """Return every ClusterRoleBinding and RoleBinding of the cluster, and a warning.

    The warning is empty unless everybody may do everything. Then the bindings do not matter, and
    it has the command for the application ``control_plane``.
    """
    mighty = roles_of_everything(client)
    found = [
        each for kind in (ClusterRoleBinding, RoleBinding) for each in _list(client, kind, mighty)
    ]
    answer = client.ask(SubjectAccessReview, _EVERYTHING)
    reason = answer.get("reason") or answer.get("evaluationError", "")
    warning = rbac.open_to_all(reason, control_plane) if answer.get("allowed") else ""
    return rbac.Bindings(found), warning


def roles_of_everything(client: api.Client) -> set[str]:
    """Return the names of the ClusterRoles that allow everything."""
    return {
        role["metadata"]["name"]
        for role in client.list(ClusterRole)
        if any(map(_allows_everything, role.get("rules") or ()))
    }


def _allows_everything(rule: api.Object) -> bool:
    parts = (rule.get(part) or () for part in ("verbs", "apiGroups", "resources"))
    return all("*" in part for part in parts) and not rule.get("resourceNames")


def _list(client: api.Client, kind: type[Any], mighty: Collection[str]) -> Iterator[rbac.Binding]:
    for found in client.list(kind):
        subjects, role = found.get("subjects") or (), found["roleRef"]
        namespace = found["metadata"].get("namespace", "")
        users = [each["name"] for each in subjects if each["kind"] == "User"]
        users += [
            f"{SERVICE_ACCOUNT}{where}:{each['name']}"
            for each in subjects
            if each["kind"] == "ServiceAccount" and (where := each.get("namespace") or namespace)
        ]
        yield rbac.Binding(
            name=found["metadata"]["name"],
            namespace=namespace,
            role_kind=role["kind"],
            role_name=role["name"],
            users=tuple(users),
            groups=tuple(each["name"] for each in subjects if each["kind"] == "Group"),
            everything=role["kind"] == "ClusterRole" and role["name"] in mighty,
        )
