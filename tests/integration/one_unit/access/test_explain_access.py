"""Who may log in, why somebody may not, and what Kubernetes itself says that they may do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import arns, kubernetes, logins
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster

ASK = "to ask Kubernetes what it may do, run: "
# What Kubernetes gives to everybody who logs in.
EVERYBODY = (
    "everybody who logs in has ClusterRole/system:basic-user, ClusterRole/system:discovery, "
    "ClusterRole/system:public-info-viewer"
)
ADMIN = arns.ROLE.replace("view", "admin")
DEV = arns.ROLE_WITH_PATH.replace("team/", "")


def explain(juju: jubilant.Juju, arn: str) -> dict[str, str]:
    return juju.run("aws-iam/leader", "explain-access", {"arn": arn}).results


def lines(results: dict[str, str]) -> list[str]:
    return results["explanation"].splitlines()


@pytest.fixture(scope="module")
def bound(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[Cluster]:
    """Give the group of knobby a role; map mallory, an admin, and a role's path."""
    cluster.map("mallory", arns.USER, "mallory-{{AccountID}}", "nobodys")
    cluster.map("root", ADMIN, "root", "system:masters")
    cluster.map_any("pathed", arns.ROLE_WITH_PATH, "dev")
    effective = f"--for=jsonpath={{.status.canonicalARN}}={arns.USER}"
    cluster.kubectl("wait", effective, "iamidentitymapping/mallory", "--timeout=90s")
    default = ("-n", "default")
    cluster.kubectl(*default, "create", "role", "pod-reader", "--verb=get,list", "--resource=pods")
    cluster.kubectl(*default, "create", "rolebinding", "read", "--role=pod-reader", "--group=view")
    yield cluster
    cluster.kubectl(*default, "delete", "rolebinding/read", "role/pod-reader")
    cluster.kubectl("delete", MAPPINGS, "mallory", "pathed", "root")


def answer(cluster: Cluster, line: str, *about: str) -> str:
    """Return what Kubernetes answers to the command in an explanation's line, if it is asked
    ``about`` one thing."""
    command = line.removeprefix(ASK)
    assert command != line
    program, *words = shlex.split(command)
    arguments = [each for word in words for each in (about if word == "--list" else [word])]
    assert len(arguments) > len(words)
    done = kubernetes.run([program, "--kubeconfig", str(cluster.admin), *arguments])
    return done.stdout.strip()


def test_given_a_person_with_a_role_when_explained_then_each_line_is_a_link_of_the_chain(
    deployed: jubilant.Juju, bound: Cluster
) -> None:
    results = explain(deployed, arns.ROLE)

    assert lines(results) == [
        f"logins are looked up as {arns.ROLE}",
        "mapping knobby, made with kubectl, lets it in as user knobby, groups view",
        "RoleBinding/default/read gives Role/default/pod-reader to group view",
        EVERYBODY,
        f"{ASK}kubectl auth can-i --list --as=knobby --as-group=view",
    ]
    assert logins.wait_for_login(bound) == results["username"]


@pytest.mark.parametrize(("namespace", "allowed"), [("default", "yes"), ("kube-system", "no")])
def test_given_a_question_when_the_explanations_command_runs_then_kubernetes_answers_it(
    deployed: jubilant.Juju, bound: Cluster, namespace: str, allowed: str
) -> None:
    line = lines(explain(deployed, arns.ROLE))[-1]

    assert answer(bound, line, "get", "pods", f"--namespace={namespace}") == allowed


def test_given_mappings_when_listed_then_juju_shows_a_table_in_lines(
    deployed: jubilant.Juju, bound: Cluster
) -> None:
    shown = deployed.cli("run", "aws-iam/leader", "list-mappings").splitlines()

    rows = {line.split()[0]: line.split() for line in shown if line.strip()}
    heading = " ".join(rows["NAME"])
    assert heading.endswith(" ROLES PROBLEM")
    row = f"knobby {arns.ROLE} knobby view kubectl Role/default/pod-reader -"
    assert " ".join(rows["knobby"]) == row
    assert rows["pathed"][-4:] == ["path;", "map", DEV, "instead"]
