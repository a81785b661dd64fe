# SPDX-License-Identifier: Apache-2.0

"""Which objects the charm has in the cluster. Pure."""

from __future__ import annotations

import dataclasses

from owner import short_name
from statuses import blocked

NAMESPACE = "kube-system"
NAME = "aws-iam-authenticator"
# What all objects of the charm have, but for mappings.
LABELS, LABEL = {"aws-iam": "true"}, "aws-iam=true"
POD_LABEL = f"k8s-app={NAME}"
# Where each pod serves logins and metrics, as the templates have it.
POD_PORT = 21362
CRD = "iamidentitymappings.iamauthenticator.k8s.aws"
MAPPING, MAPPINGS = "IAMIdentityMapping", "iamauthenticator.k8s.aws/v1alpha1"
RBAC = "rbac.authorization.k8s.io"


@dataclasses.dataclass(frozen=True)
class ObjectReference:
    """An object by its kind and name; ``namespace`` is None for a cluster-scoped one."""

    api_version: str
    kind: str
    name: str = NAME
    namespace: str | None = NAMESPACE

    @property
    def text(self) -> str:
        """Return the reference as a person reads it, as ``Secret kube-system/aws-iam-certs``."""
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"


SECRET = ObjectReference("v1", "Secret", name="aws-iam-certs")
DEPLOYMENT = ObjectReference("apps/v1", "Deployment")
SERVICE = ObjectReference("v1", "Service")
DISRUPTION_BUDGET = ObjectReference("policy/v1", "PodDisruptionBudget")
# Kubernetes 1.30 and newer has these kinds.
POLICY = tuple(
    ObjectReference("admissionregistration.k8s.io/v1", kind, "aws-iam-mappings", None)
    for kind in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy")
)
# What goes when the charm goes, in the order in which it goes: the pods early, the Service last.
# The CRD stays: with it would go the mappings, which are people's. The policy stays with it:
# anyone who may write mappings could otherwise make an administrator of the next deployment.
OWNED = (
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    SECRET,
    ObjectReference("v1", "ConfigMap"),
    ObjectReference("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", namespace=None),
    ObjectReference("rbac.authorization.k8s.io/v1", "ClusterRole", namespace=None),
    ObjectReference("v1", "ServiceAccount"),
    SERVICE,
)


def foreign(mark: str, what: ObjectReference = SERVICE) -> str:
    """Return the status where another application owns the objects, by its ``mark`` on one."""
    return blocked.OWNED_BY_ANOTHER(owner=short_name(mark), kind=what.kind.lower())
