# SPDX-License-Identifier: Apache-2.0

"""What RBAC holds, and what the API server itself says that a user may do.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from lightkube.resources.authorization_v1 import SubjectAccessReview
from lightkube.resources.rbac_authorization_v1 import (
    ClusterRole,
    ClusterRoleBinding,
    RoleBinding,
)

from access import rbac
from access.rbac import Answer, Question
from cluster import answers, api

# How the user of a service account is called: with its namespace and its name behind this. To the
# API server, whoever gets that name has what the account has.
SERVICE_ACCOUNT = "system:serviceaccount:"


def find(
    client: api.Client, control_plane: str, *, newest: bool = False
) -> tuple[rbac.Bindings, str]:
    """Return every ClusterRoleBinding and RoleBinding of the cluster, and a warning.

    The warning is empty unless everybody may do everything. Then the bindings do not matter, and
    it has the command for the application ``control_plane``. ``newest`` is `api.Client.list`'s.
    """
    mighty = roles_of_everything(client)
    found = [
        each
        for kind in (ClusterRoleBinding, RoleBinding)
        for each in _list(client, kind, mighty, newest=newest)
    ]
    return rbac.Bindings(found), rbac.open_to_all(_everybody(client), control_plane)


def ask(client: api.Client, username: str, groups: Sequence[str], question: Question) -> Answer:
    """Ask the API server whether a user in these groups may do something."""
    about = dataclasses.asdict(question)
    spec = {"user": username, "groups": [*groups], "resourceAttributes": about}
    status = client.ask(SubjectAccessReview, spec, answers.SubjectAccessReview).status
    return Answer(status.allowed, status.reason or status.evaluation_error)


def _everybody(client: api.Client) -> Answer:
    """Return whether everybody may do everything."""
    return ask(client, "", [rbac.EVERYBODY], rbac.ANYTHING)


def roles_of_everything(client: api.Client) -> set[str]:
    """Return the names of the ClusterRoles that allow everything."""
    found = client.list(ClusterRole, answers.Role)
    return {role.metadata.name for role in found if role.allows_everything}


def _list(
    client: api.Client, kind: type[Any], mighty: Collection[str], *, newest: bool
) -> Iterator[rbac.Binding]:
    for found in client.list(kind, answers.Binding, newest=newest):
        subjects, role = found.subjects or (), found.role_ref
        namespace = found.metadata.namespace
        users = [s.name for s in subjects if s.kind == "User"]
        users += [
            f"{SERVICE_ACCOUNT}{where}:{s.name}"
            for s in subjects
            if s.kind == "ServiceAccount" and (where := s.namespace or namespace)
        ]
        yield rbac.Binding(
            name=found.metadata.name,
            namespace=namespace,
            role_kind=role.kind,
            role_name=role.name,
            users=tuple(users),
            groups=tuple(s.name for s in subjects if s.kind == "Group"),
            everything=role.kind == "ClusterRole" and role.name in mighty,
        )
