"""The page's steps: the commands that its readers type, and what each command must print.

The page is "AWS IAM on Charmed Kubernetes" in the documentation of Charmed Kubernetes. The
refusals are added here, and `access.py` adds who may log in. The demo and the integration tests
take the same steps.
"""

from __future__ import annotations

from typing import Literal

from demo import access
from demo.step import AFTER_A_RESTART, NO_PODS, UNAUTHORIZED, Step, Wait

ControlPlane = Literal["1.28", "1.29"]
Authority = Literal["easyrsa", "vault", "self-signed-certificates"]

ROLE = "arn:aws:iam::111122223333:role/k8s-view-role"
WRONG = "a-wrong-secret-key"
CLUSTER_ID = "$(kubectl config view -o jsonpath='{.users[?(@.user.exec)].user.exec.args[2]}')"
# testbedctl does what is done with Vault's client: init, unseal, and create a token.
AUTHORIZE = 'juju run vault/leader authorize-charm token="$(testbedctl authority vault unseal)"'
GET_KUBECONFIG = (
    f"juju run aws-iam/leader get-kubeconfig arn={ROLE} --format json "
    "| jq -ers '.[0][] | .results.kubeconfig // error(.message)' "
    "> ~/.kube/aws-iam.new && mv ~/.kube/aws-iam.new ~/.kube/aws-iam"
)
RUN_STATUS_COMMAND = (
    'eval "$(juju status aws-iam --format json '
    '| jq -r \'.applications["aws-iam"]["application-status"].message\' '
    "| sed 's/.*run: //')\""
)

MAPPING = f"""\
apiVersion: iamauthenticator.k8s.aws/v1alpha1
kind: IAMIdentityMapping
metadata:
  name: k8s-view
spec:
  arn: {ROLE}
  username: knobby
  groups:
  - view
"""

READER = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: pod-reader
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: read-pods
  namespace: default
subjects:
- kind: User
  name: knobby
  apiGroup: rbac.authorization.k8s.io
roleRef:
  kind: Role
  name: pod-reader
  apiGroup: rbac.authorization.k8s.io
"""

FORBIDDEN = (
    'Error from server (Forbidden): pods is forbidden: User "knobby" cannot list resource '
    '"pods" in API group "" at the cluster scope'
)


def steps(control_plane: ControlPlane, authority: Authority) -> list[Step | Wait]:
    """Return every step, for a version of the control plane and a certificate authority."""
    return [
        *_deploy(control_plane, authority),
        *(_role_in_the_kubeconfig() if control_plane == "1.28" else _kubeconfig_of_the_charm()),
        *_log_in(),
        *_refusals(),
        *_troubleshooting(),
        *access.steps(),
    ]


def _deploy(control_plane: ControlPlane, authority: Authority) -> list[Step | Wait]:
    vault = "--overlay testbed/bundles/vault.yaml " if authority == "vault" else ""
    folder = "overlays/1.28" if control_plane == "1.28" else "overlays"
    allow = "--overlay testbed/bundles/always-allow.yaml"  # the page enables RBAC later
    overlays = f"{vault}--overlay {folder}/aws-iam-{authority}.yaml {allow}"
    settings = f"--channel {control_plane}/stable {overlays}"
    return [
        Step("Deploy", f"juju deploy charmed-kubernetes {settings}"),
        *([Step("Unseal vault", AUTHORIZE, retry_seconds=60)] if authority == "vault" else []),
        Wait("Wait until everything is active"),
        Step(
            "Get the administrator's kubeconfig from the control plane",
            "mkdir -p ~/.kube && juju exec --unit kubernetes-control-plane/leader -- "
            "cat /home/ubuntu/config > ~/.kube/config.new && test -s ~/.kube/config.new "
            "&& mv ~/.kube/config.new ~/.kube/config",
        ),
        Step(
            "Map an IAM role to a Kubernetes user",
            f"kubectl apply -f - <<'EOF'\n{MAPPING}EOF",
            shows="iamidentitymapping.iamauthenticator.k8s.aws/k8s-view created",
        ),
    ]


def _role_in_the_kubeconfig() -> list[Step | Wait]:
    return [
        Step(
            "Put the role into the kubeconfig",
            f"sed -i 's|<<insert_arn_here>>|{ROLE}|' ~/.kube/config",
        ),
        _USE_CONTEXT,
    ]


def _kubeconfig_of_the_charm() -> list[Step | Wait]:
    return [
        Step("Get a person's kubeconfig from the charm", GET_KUBECONFIG),
        Step(
            "That kubeconfig alone is enough to log in",
            "KUBECONFIG=~/.kube/aws-iam kubectl get po",
            shows=NO_PODS,
            retry_seconds=AFTER_A_RESTART,
        ),
        Step(
            "Add it to the one that is there",
            "KUBECONFIG=~/.kube/config:~/.kube/aws-iam kubectl config view --raw --flatten "
            "> ~/.kube/both && mv ~/.kube/both ~/.kube/config",
        ),
        _USE_CONTEXT,
    ]


def _log_in() -> list[Step | Wait]:
    return [
        Step(
            "Log in while the API server allows everything",
            "kubectl get po",
            shows=NO_PODS,
            retry_seconds=AFTER_A_RESTART,
        ),
        Step(
            "Enable RBAC",
            'juju config kubernetes-control-plane authorization-mode="RBAC,Node"',
        ),
        Wait("Wait until the API server runs with RBAC"),
        Step(
            "Now the same person may do nothing",
            "kubectl get po -A",
            shows=FORBIDDEN,
            code=1,
            retry_seconds=AFTER_A_RESTART,
        ),
        Step(
            "Let that person read pods in the default namespace",
            f"kubectl --context=juju-context apply -f - <<'EOF'\n{READER}EOF",
            shows="rolebinding.rbac.authorization.k8s.io/read-pods created",
        ),
        Step(
            "Now the person may list the pods of that namespace",
            "kubectl get po",
            shows=NO_PODS,
            retry_seconds=10,
        ),
        Step(
            "The person may not list the pods of other namespaces",
            "kubectl get po --all-namespaces",
            shows=FORBIDDEN,
            code=1,
        ),
    ]


def _refusals() -> list[Step | Wait]:
    """Return the logins that must fail.

    With a wrong secret key, kubectl's plugin gets no token, so the command makes the token itself
    and hands it to kubectl.
    """
    return [
        Step(
            "Refused: a wrong secret key, noticed when the role is assumed",
            "kubectl get po",
            shows="SignatureDoesNotMatch",
            code=1,
            secret=WRONG,
        ),
        _refused(
            "a wrong secret key, noticed when the token is checked", CLUSTER_ID, secret=WRONG
        ),
        _refused("a token for another cluster", "another-cluster", role=ROLE),
    ]


def _refused(
    what: str,
    cluster_id: str,
    *,
    role: str = "",
    user: str = "knobby",
    secret: str | None = None,
) -> Step:
    token = f"aws-iam-authenticator token --token-only -i {cluster_id}"
    if role:
        token += f" -r {role}"
    command = f'kubectl --token="$({token})" get po'
    return Step(f"Refused: {what}", command, shows=UNAUTHORIZED, code=1, user=user, secret=secret)


def _troubleshooting() -> list[Step | Wait]:
    unit = "juju exec --unit kubernetes-control-plane/0 --"
    logs = (
        "/snap/bin/kubectl --kubeconfig /root/.kube/config "
        "-n kube-system logs -l k8s-app=aws-iam-authenticator --prefix --tail=-1"
    )
    return [
        Step(
            "Troubleshooting: get a token",
            f"aws-iam-authenticator token -i {CLUSTER_ID} -r {ROLE}",
            shows="k8s-aws-v1.",
        ),
        Step(
            "Troubleshooting: kubectl's verbose output",
            "kubectl get po --v=9 2>&1 | tail -n 5",
            shows=NO_PODS,
        ),
        Step(
            "Troubleshooting: the authenticator's log",
            f"{unit} {logs}",
            shows="listening on",
        ),
        Step(
            "Troubleshooting: the API server's log",
            f"{unit} journalctl -u snap.kube-apiserver.daemon.service | tail -n 5",
            shows=".go:",  # each line names the source that it comes from
        ),
    ]


_USE_CONTEXT = Step(
    "Use the context that logs in with AWS keys",
    "kubectl config use-context aws-iam-authenticator",
    shows='Switched to context "aws-iam-authenticator".',
)
