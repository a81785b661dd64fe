# SPDX-License-Identifier: Apache-2.0

"""The bindings by which rights come with a mapping, and what they need: roles and namespaces.

Each binding has its mapping as owner. So Kubernetes' garbage collector deletes it with the
mapping, whoever deletes that, and also while Juju is down.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

from typing import Any

from lightkube.resources.core_v1 import Namespace
from lightkube.resources.rbac_authorization_v1 import (
    ClusterRole,
    ClusterRoleBinding,
    Role,
    RoleBinding,
)

from access import reserved, rights
from cluster import api, manifests, rbac_answers, references
from cluster.errors import Conflict, suppress
from labels import OWNER, SOURCE
from owner import Owner

_RBAC = "rbac.authorization.k8s.io"


def find(client: api.Client, owner: Owner, *, namespaced: bool = True) -> list[rights.RoleBinding]:
    """Return the bindings that ``owner`` has made for mappings, of the option and of grants.

    Without ``namespaced``, these are ClusterRoleBindings alone.

    The label alone makes no binding the charm's. Without the owner's mark, it is a person's.
    """
    return [
        _read(found)
        for resource in (ClusterRoleBinding, *((RoleBinding,) if namespaced else ()))
        for found in client.list_as(resource, rbac_answers.Binding, labels=SOURCE)
        if owner.owns((found.metadata.annotations or {}).get(OWNER, ""))
    ]


def _read(found: rbac_answers.Binding) -> rights.RoleBinding:
    metadata, role = found.metadata, found.role_ref
    subjects, mapping = found.subjects or [], metadata.mapping
    group = subjects[0].name if len(subjects) == 1 and subjects[0].kind == "Group" else ""
    is_own = mapping and reserved.own_group(mapping.name) == group
    return rights.RoleBinding(
        name=metadata.name,
        namespace=metadata.namespace,
        role_kind=role.kind,
        role=role.name,
        group=group,
        uid=mapping.uid if mapping and is_own else "",
        source=(metadata.labels or {}).get(SOURCE, ""),
    )


def make(client: api.Client, owner: Owner, binding: rights.RoleBinding, *, anew: bool) -> None:
    """Create a binding; ``anew`` says that one of its name is there, and goes first.

    A name belongs to one binding of the charm's, so whatever else has it is replaced too.
    """
    path, manifest = _path(binding), _manifest(owner, binding)
    if anew:
        delete(client, binding)
    try:
        client.post(path, manifest)
    except Conflict:
        delete(client, binding)
        client.post(path, manifest)


def delete(client: api.Client, binding: rights.RoleBinding) -> None:
    """Delete a binding, if it is there.

    It counts until it is gone. By a finalizer, whoever may write bindings could keep even one of
    a role that they may not bind. So this takes the finalizers out of a binding of the charm's.
    """
    resource, namespace = _resource(binding), binding.namespace or None
    if client.delete(resource, binding.name, namespace=namespace, small=True):
        free = {"metadata": {"finalizers": None}}
        with suppress(404):
            client.patch(resource, binding.name, free, namespace=namespace, small=True)


def namespaces(client: api.Client) -> set[str]:
    """Return the names of all namespaces."""
    return {found.metadata.name for found in client.list_as(Namespace, rbac_answers.Named)}


def roles(client: api.Client, *, namespaced: bool) -> set[tuple[str, str]]:
    """Return all roles, each as its namespace, empty for a ClusterRole, and its name.

    Only with ``namespaced`` does this include Roles.
    """
    return {
        (found.metadata.namespace, found.metadata.name)
        for resource in ((ClusterRole, Role) if namespaced else (ClusterRole,))
        for found in client.list_as(resource, rbac_answers.Named)
    }


def _path(binding: rights.RoleBinding) -> str:
    """Return where bindings of this kind are."""
    if binding.namespace:
        return f"/apis/{_RBAC}/v1/namespaces/{binding.namespace}/rolebindings"
    return f"/apis/{_RBAC}/v1/clusterrolebindings"


def _resource(binding: rights.RoleBinding) -> type[Any]:
    return RoleBinding if binding.namespace else ClusterRoleBinding


def _manifest(owner: Owner, binding: rights.RoleBinding) -> manifests.Manifest:
    namespace = {"namespace": binding.namespace} if binding.namespace else {}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": _resource(binding).__name__,
        "metadata": {
            "name": binding.name,
            **namespace,
            "labels": {**references.LABELS, SOURCE: binding.source},
            "annotations": {OWNER: owner.mark},
            "ownerReferences": [
                {
                    "apiVersion": "iamauthenticator.k8s.aws/v1alpha1",
                    "kind": references.MAPPING,
                    "name": binding.mapping,
                    "uid": binding.uid,
                }
            ],
        },
        "roleRef": {"apiGroup": _RBAC, "kind": binding.role_kind, "name": binding.role},
        "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": binding.group}],
    }
