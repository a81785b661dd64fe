# SPDX-License-Identifier: Apache-2.0

"""What RBAC holds, and what the API server itself says that a user may do.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from lightkube.resources.authorization_v1 import SubjectAccessReview
from lightkube.resources.rbac_authorization_v1 import (
    ClusterRole,
    ClusterRoleBinding,
    RoleBinding,
)

import times
from access import administrators, expiry, rbac
from access.desired import Access, Changes
from access.rbac import Answer, Question
from cluster import answers, api, contents
from cluster.errors import errors_as_status
from errors import Unready
from text import status_line

# How the user of a service account is called: with its namespace and its name behind this. To the
# API server, whoever gets that name has what the account has.
SERVICE_ACCOUNT = "system:serviceaccount:"

Rules = dict[str, Sequence[administrators.Rule]]


def find(
    client: api.Client, control_plane: str, *, newest: bool = False
) -> tuple[rbac.Bindings, str]:
    """Return every ClusterRoleBinding and RoleBinding of the cluster, and a warning.

    The warning is empty unless everybody may do everything. Then the bindings do not matter, and
    it has the command for the application ``control_plane``. ``newest`` is `api.Client.list`'s.
    """
    rules, is_denied = _roles(client), contents.denies_mappings(client)
    kinds = (ClusterRoleBinding, RoleBinding)
    found = [
        each
        for kind in kinds
        for each in _list(client, kind, rules, is_denied=is_denied, newest=newest)
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


def _roles(client: api.Client) -> Rules:
    """Return the rules of every ClusterRole by its name."""
    found = client.list(ClusterRole, answers.Role)
    return {role.metadata.name: role.rules or () for role in found}


def _list(
    client: api.Client,
    kind: type[Any],
    rules: Rules,
    *,
    is_denied: bool = False,
    newest: bool = False,
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
            powers=_powers(role.kind, role.name, namespace, rules, is_denied=is_denied),
        )


def _powers(
    kind: str, name: str, namespace: str, rules: Rules, *, is_denied: bool = False
) -> tuple[str, ...]:
    of_role = rules.get(name, ()) if kind == "ClusterRole" else ()
    return administrators.powers_of(of_role, namespace, mappings_denied=is_denied)


def last_administrators(
    client: api.Client, partition: str, found: Access, wanted: Access, steps: Changes
) -> str:
    """Return the warning that ``steps`` take away the last mapping that certainly administers the
    cluster, or that nobody can tell; empty if there is nothing to warn of.

    This reads the ClusterRoleBindings, unless the mappings alone tell: no RoleBinding gives
    everything, and no policy on mappings takes that away.
    """
    now = times.now()
    before, after = (
        [each for each in some.mappings if not expiry.has_ended(each, now)]
        for some in (found, wanted)
    )
    changed = {each.name for each in before}.intersection(steps.touched)
    if not changed or administrators.certain(after, (), partition):
        return ""
    try:
        with errors_as_status():
            rules = _roles(client)
            bound = [*_list(client, ClusterRoleBinding, rules)]
            is_open = _everybody(client).allowed
    except Unready as reason:
        return unknown(reason)
    made = [
        rbac.Binding(
            name=each.name,
            namespace=each.namespace,
            role_kind=each.role_kind,
            role_name=each.role,
            groups=(each.group,),
            powers=_powers(each.role_kind, each.role, each.namespace, rules),
        )
        for each in steps.bind
    ]
    gone = {each.key for each in steps.unbind}
    left = [each for each in bound if f"{each.namespace}/{each.name}" not in gone]
    if is_open or administrators.certain(after, [*left, *made], partition):
        return ""
    sure = administrators.certain(before, bound, partition)
    return administrators.warning([each for each in sure if each.name in changed])


def unknown(reason: Unready) -> str:
    """Return the warning that nobody can tell who is left, for this ``reason``."""
    return f"cannot tell who can administer the cluster: {status_line(reason)}"
