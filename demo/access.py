"""The second act: who may log in, with which rights, and how both end together."""

from __future__ import annotations

from demo.step import AFTER_A_RESTART, NO_PODS, UNAUTHORIZED, Step, Wait

USERS_KUBECONFIG = (
    "juju run aws-iam/leader get-kubeconfig region=us-east-1 --format json "
    "| jq -ers '.[0][] | .results.kubeconfig // error(.message)' "
    "> ~/.kube/users.new && mv ~/.kube/users.new ~/.kube/users"
)
DECLARED = """\
- arn: arn:aws:iam::111122223333:user/knobby
  username: knobby-by-name
  access:
  - role: view
    namespaces: [default]
"""
OWN_BINDINGS = "rolebindings -A -l aws-iam/source"
AS_A_PERSON = "kubectl --kubeconfig ~/.kube/users"
WHOAMI = f"{AS_A_PERSON} auth whoami -o jsonpath='{{.status.userInfo.username}}'"
MALLORY = "arn:aws:iam::111122223333:user/mallory"


def steps() -> list[Step | Wait]:
    """Declare who may log in and do what, ask why somebody else may not, and take it all back.

    These people log in as IAM users, without a role. Nobody but their mappings gives them rights.
    """
    return [
        Step("Get a kubeconfig for people who log in without a role", USERS_KUBECONFIG),
        Step(
            "Declare who may log in, and what they may do",
            f"cat > ~/mappings.yaml <<'EOF'\n{DECLARED}EOF\n"
            "juju config aws-iam mappings=@$HOME/mappings.yaml",
        ),
        *_rights_of_a_mapping(),
        *_a_grant(),
        *_the_end_of_the_rights(),
        Step(
            "Check every step of a login",
            "juju run aws-iam/leader check",
            shows="steps are ok",
        ),
    ]


def _rights_of_a_mapping() -> list[Step | Wait]:
    return [
        Step(
            "That person logs in",
            WHOAMI,
            shows="knobby-by-name",
            retry_seconds=AFTER_A_RESTART,
        ),
        Step(
            "The role came with the mapping, and counts in its namespace",
            f"{AS_A_PERSON} get po",
            shows=NO_PODS,
            retry_seconds=10,
        ),
        Step(
            "The charm has bound it to this mapping's own group",
            f"kubectl --context=juju-context get {OWN_BINDINGS}",
            shows="ClusterRole/view",
        ),
        Step(
            "It gives exactly that: in other namespaces the person may do nothing",
            f"{AS_A_PERSON} get po -n kube-system",
            shows='User "knobby-by-name" cannot list resource "pods"',
            code=1,
            retry_seconds=AFTER_A_RESTART,
        ),
    ]


def _a_grant() -> list[Step | Wait]:
    """Refuse somebody, say why, and let them in for a while with a role, which goes too."""
    return [
        Step(
            "Refused: a user without a mapping",
            f"{AS_A_PERSON} get po",
            shows=UNAUTHORIZED,
            code=1,
            user="mallory",
        ),
        Step(
            "Ask why, and how to let that person in",
            f"juju run aws-iam/leader explain-access arn={MALLORY} --format json "
            "| jq -er '.[] | .results.explanation // error(.message)' | sed -n 1,3p",
            shows="the login is refused (Unauthorized): no mapping names it",
        ),
        Step(
            "Let that person read the same namespace for 15 seconds",
            f"juju run aws-iam/leader grant-access arn={MALLORY} username=mallory role=view "
            "namespaces=default for=15s",
            shows="result: granted",
        ),
        Step(
            "Now that login works, and may do so",
            f"{AS_A_PERSON} get po",
            shows=NO_PODS,
            retry_seconds=10,
            user="mallory",
        ),
        Step(
            "The access ends by itself",
            WHOAMI,
            shows=UNAUTHORIZED,
            code=1,
            retry_seconds=90,
            user="mallory",
        ),
        Step(
            "See who may log in and do what, and whose access has ended",
            "juju run aws-iam/leader list-mappings",
            shows=f"({MALLORY}) ended at",
            # The pod that refused the login may not have heard of the grant yet.
            retry_seconds=90,
        ),
    ]


def _the_end_of_the_rights() -> list[Step | Wait]:
    return [
        Step(
            "Take the entry out of the file",
            "echo '[]' > ~/mappings.yaml && juju config aws-iam mappings=@$HOME/mappings.yaml",
        ),
        Step(
            "The login has gone with the entry",
            f"{AS_A_PERSON} get po",
            shows=UNAUTHORIZED,
            code=1,
            retry_seconds=90,
        ),
        Step(
            "So have all rights that came with a mapping",
            f"kubectl --context=juju-context get {OWN_BINDINGS}",
            shows="No resources found",
            retry_seconds=10,
        ),
    ]
