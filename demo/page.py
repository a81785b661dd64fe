"""The page, as the commands that its readers type and what each must bring.

Source: "AWS IAM on Charmed Kubernetes", the charm's page in the documentation of Charmed
Kubernetes, and the refusals that it leaves out. The demo shows these steps, and the
integration tests run them; they are the same steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ControlPlane = Literal["1.28", "1.29"]
Authority = Literal["easyrsa", "vault", "self-signed-certificates"]

ROLE = "arn:aws:iam::111122223333:role/k8s-view-role"
WRONG = "a-wrong-secret-key"
CLUSTER_ID = "$(kubectl config view -o jsonpath='{.users[?(@.user.exec)].user.exec.args[2]}')"
INTERVAL = "update-status-hook-interval"
UNSEAL = "juju run vault/leader unseal"
TELL = (
    'eval "$(juju status aws-iam --format json '
    '| jq -r \'.applications["aws-iam"]["application-status"].message\' '
    "| sed 's/^run: //')\""
)

MAPPING = f"""\
apiVersion: iamauthenticator.k8s.aws/v1alpha1
kind: IAMIdentityMapping
metadata:
  name: kubernetes-admin
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

NO_PODS = "No resources found"
FORBIDDEN = (
    'Error from server (Forbidden): pods is forbidden: User "knobby" cannot list resource '
    '"pods" in API group "" at the cluster scope'
)
UNAUTHORIZED = "You must be logged in to the server"


@dataclass(frozen=True)
class Step:
    """A command line for a shell, and what it must bring.

    ``code`` is its exit code; ``shows`` must be in what it prints.
    ``until`` is how long, in seconds, it may be tried again: what the API server caches,
    or does after a restart, passes. ``user`` is whose AWS keys are in the
    environment, ``secret`` a secret key in place of theirs.
    """

    title: str
    command: str
    shows: str = ""
    code: int = 0
    until: float = 0.0
    user: str = "knobby"
    secret: str | None = None


@dataclass(frozen=True)
class Settle:
    """Wait until every agent is idle and every application active.

    Where ``told`` is false, aws-iam may be blocked, on what the operator is told to run.
    """

    title: str
    told: bool = True


def steps(control_plane: ControlPlane, authority: Authority) -> list[Step | Settle]:
    """The whole walk, for a kind of control plane and of certificate authority."""
    return [
        *_deploy(control_plane, authority),
        *(_client_of_the_relation() if control_plane == "1.28" else _client_of_the_option()),
        *_log_in(),
        *_refusals(),
        *_troubleshooting(),
    ]


def _deploy(control_plane: ControlPlane, authority: Authority) -> list[Step | Settle]:
    vault = "--overlay testbed/bundles/vault.yaml " if authority == "vault" else ""
    overlays = f"{vault}--overlay overlays/aws-iam-{authority}.yaml"
    settings = f"--channel {control_plane}/stable {overlays}"
    return [
        Step("Deploy", f"juju deploy charmed-kubernetes {settings}"),
        *([Step("Unseal the vault", UNSEAL, until=60)] if authority == "vault" else []),
        Settle("until everything is active", told=control_plane == "1.28"),
        *([] if control_plane == "1.28" else _tell_the_control_plane()),
        Step(
            "An administrator's kubeconfig, from the control plane",
            "mkdir -p ~/.kube && "
            "juju ssh kubernetes-control-plane/leader -- cat config > ~/.kube/config",
        ),
        Step(
            "Who may log in: a mapping",
            f"kubectl apply -f - <<'EOF'\n{MAPPING}EOF",
            shows="iamidentitymapping.iamauthenticator.k8s.aws/kubernetes-admin created",
        ),
    ]


def _tell_the_control_plane() -> list[Step | Settle]:
    """Nothing but update-status has a subordinate look at its principal's options again."""
    return [
        Step("The unit says what is left to do", TELL),
        Step(
            "It looks again at each update-status, every 5 minutes; more often for once",
            f"juju model-config {INTERVAL}=5s",
        ),
        Settle("until the control plane has done it"),
        Step("As often as before", f"juju model-config --reset {INTERVAL}"),
    ]


def _client_of_the_relation() -> list[Step | Settle]:
    return [
        Step("The role to log in as", f"sed -i 's|<<insert_arn_here>>|{ROLE}|' ~/.kube/config"),
        _USE_CONTEXT,
    ]


def _client_of_the_option() -> list[Step | Settle]:
    return [
        Step(
            "A person's kubeconfig, from the charm",
            f"juju run aws-iam/leader get-kubeconfig arn={ROLE} --format json "
            "| jq -r '.[].results.kubeconfig' > ~/.kube/aws-iam && "
            "KUBECONFIG=~/.kube/config:~/.kube/aws-iam kubectl config view --raw --flatten "
            "> ~/.kube/both && mv ~/.kube/both ~/.kube/config",
        ),
        _USE_CONTEXT,
    ]


def _log_in() -> list[Step | Settle]:
    return [
        Step(
            "Log in while the API server allows everything",
            "kubectl get po",
            shows=NO_PODS,
            until=60,
        ),
        Step(
            "Enable RBAC",
            'juju config kubernetes-control-plane authorization-mode="RBAC,Node"',
        ),
        Settle("until the API server runs with it"),
        Step(
            "The same person may do nothing yet",
            "kubectl get po -A",
            shows=FORBIDDEN,
            code=1,
            until=20,
        ),
        Step(
            "A role for that person",
            f"kubectl --context=juju-context apply -f - <<'EOF'\n{READER}EOF",
            shows="rolebinding.rbac.authorization.k8s.io/read-pods created",
        ),
        Step("Now the command succeeds", "kubectl get po", shows=NO_PODS, until=10),
        Step(
            "In the default namespace only",
            "kubectl get po --all-namespaces",
            shows=FORBIDDEN,
            code=1,
        ),
    ]


def _refusals() -> list[Step | Settle]:
    """What must not let anybody in; a token is handed to kubectl where the plugin would
    not have got one."""
    return [
        Step(
            "Refused: a wrong secret key, when the role is assumed",
            "kubectl get po",
            shows="SignatureDoesNotMatch",
            code=1,
            secret=WRONG,
        ),
        _refused("a wrong secret key, when the token is checked", CLUSTER_ID, secret=WRONG),
        _refused("a user whom no mapping names", CLUSTER_ID, user="mallory"),
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


def _troubleshooting() -> list[Step | Settle]:
    unit = "juju exec --unit kubernetes-control-plane/0 --"
    logs = (
        "/snap/bin/kubectl --kubeconfig /root/.kube/config "
        "-n kube-system logs deploy/aws-iam-authenticator"
    )
    return [
        Step(
            "Troubleshooting: is a token returned?",
            f"aws-iam-authenticator token -i {CLUSTER_ID} -r {ROLE}",
            shows="k8s-aws-v1.",
        ),
        Step(
            "Troubleshooting: kubectl's own words",
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
        ),
    ]


_USE_CONTEXT = Step(
    "The context that logs in",
    "kubectl config use-context aws-iam-authenticator",
    shows='Switched to context "aws-iam-authenticator".',
)
