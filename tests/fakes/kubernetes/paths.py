"""Where the API server has what the charm makes and reads."""

from __future__ import annotations

from tests.fakes.kubernetes.rbac import RBAC

DEPLOYMENT = "/apis/apps/v1/namespaces/kube-system/deployments/aws-iam-authenticator"
SERVICE = "/api/v1/namespaces/kube-system/services/aws-iam-authenticator"
SECRET = "/api/v1/namespaces/kube-system/secrets/aws-iam-certs"
CONFIG = "/api/v1/namespaces/kube-system/configmaps/aws-iam-authenticator"
SERVICE_ACCOUNT = "/api/v1/namespaces/kube-system/serviceaccounts/aws-iam-authenticator"
CLUSTER_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/aws-iam-authenticator"
CLUSTER_ROLE_BINDING = (
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/aws-iam-authenticator"
)
DISRUPTION_BUDGET = (
    "/apis/policy/v1/namespaces/kube-system/poddisruptionbudgets/aws-iam-authenticator"
)
DEFINITION = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
    "iamidentitymappings.iamauthenticator.k8s.aws"
)
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICY = f"{_ADMISSION}/validatingadmissionpolicies/aws-iam-mappings"
POLICY_BINDING = f"{_ADMISSION}/validatingadmissionpolicybindings/aws-iam-mappings"
MAPPINGS = "/apis/iamauthenticator.k8s.aws/v1alpha1/iamidentitymappings"
VERSION = "/version"
TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
NAMESPACES = "/api/v1/namespaces"
PODS = "/api/v1/namespaces/kube-system/pods"
NODES = "/api/v1/nodes"
ADDRESS = "10.152.183.20"
# The charm's objects, in the order in which they are applied.
DEFINED = (POLICY, POLICY_BINDING, DEFINITION)
DEPLOYED = (
    *(SERVICE_ACCOUNT, CLUSTER_ROLE, CLUSTER_ROLE_BINDING, CONFIG, SECRET, DISRUPTION_BUDGET),
    DEPLOYMENT,
)
BINDINGS = (f"{RBAC}/clusterrolebindings", f"{RBAC}/rolebindings")
APPLIED = (*DEFINED, SERVICE, *DEPLOYED)
# Every request of a settled reconcile, in order; the hook that deploys everything sends these too.
SETTLED = (
    *(f"GET {path}" for path in (SERVICE, VERSION, *DEFINED, *BINDINGS, MAPPINGS, SECRET)),
    *(f"GET {path}" for path in DEPLOYED if path != SECRET),
    f"GET {PODS}",
    f"GET {NODES}",
)
