"""The second door: machines log in with tokens that AWS signs, beside people and aws-iam.

Every command of docs/how-to/signed-tokens.md runs here, on the newest Kubernetes.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import jubilant
import pytest
import yaml
from botocore.credentials import Credentials
from tests.integration.helpers import (
    arns,
    aws_tokens,
    bad_tokens,
    bundle,
    how_to,
    juju_status,
    kubernetes,
    logins,
    mapping_writers,
    second_door,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.second_door import AUDIENCE, PAGE, ROLES, follow, session

pytestmark = pytest.mark.slow

OTHER = "test.k8s.example.com"
DEPLOYER = f"aws:{ROLES}/deployer"
AUDIT = {
    "audit-policy-file": "/root/cdk/audit/policy.yaml",
    "audit-log-path": "/root/cdk/audit/audit.log",
}
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "rules": [{"level": "Metadata"}],
}
FOREVER = {"Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*"}
CREATE = ("create", "pods", "-n", "default")


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.29 with aws-iam, all active, and an audit log."""
    bundle.deploy(juju, channel="1.29/stable")
    juju_status.wait_until_active(juju)
    policy = shlex.quote(json.dumps(AUDIT_POLICY))
    on_machines(juju, f"mkdir -p /root/cdk/audit && echo {policy} > {AUDIT['audit-policy-file']}")
    flags = " ".join(f"{name}={value}" for name, value in AUDIT.items())
    juju.config("kubernetes-control-plane", {"api-extra-args": flags})
    juju_status.wait_until_active(juju)
    return juju


def on_machines(juju: jubilant.Juju, command: str) -> str:
    return juju.exec(command, unit="kubernetes-control-plane/0").stdout


@pytest.fixture(scope="module")
def operator(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    """Return the page's reader."""
    folder = tmp_path_factory.mktemp("operator")
    with second_door.operator(deployed, cluster, folder) as reader:
        yield reader


@pytest.fixture(scope="module")
def machine(deployed: jubilant.Juju, operator: Reader) -> Credentials:
    """Return the session of a machine whose role may log in, once the page is followed."""
    second_door.open_it(deployed, operator)
    return session("knobby", f"{ROLES}/deployer")


@pytest.fixture(scope="module")
def door(cluster: Cluster, machine: Credentials) -> Cluster:
    """Return the cluster, once its API server takes the machine's tokens."""
    token = aws_tokens.get(machine, AUDIENCE)
    eventually(lambda: who(cluster, token), "logged in by the second door")
    return cluster


def denied(error: str = "AccessDenied") -> pytest.RaisesExc[botocore.exceptions.ClientError]:
    return pytest.raises(botocore.exceptions.ClientError, match=error)


def allow(role: str, *statements: dict[str, Any]) -> None:
    """Give a role an inline policy of its own, or take it away where there is no statement."""
    iam = aws_tokens.client("iam", bad_tokens.credentials("ada"))
    names = {"RoleName": role, "PolicyName": "test"}
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(**names, PolicyDocument=policy)
    else:
        iam.delete_role_policy(**names)


@pytest.fixture(scope="module")
def intruder(door: Cluster) -> Credentials:
    """Return the session of a role that IAM gives tokens for any audience, for as long as any."""
    allow("intruder", FOREVER)
    return session("knobby", f"{ROLES}/intruder")


def kubectl(cluster: Cluster, token: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl for somebody who has a token and nothing else."""
    config = yaml.safe_load(cluster.person.read_text())
    config["users"][0]["user"] = {"token": token}
    path = cluster.person.with_name("by-token")
    path.write_text(yaml.safe_dump(config))
    return kubernetes.run(["kubectl", "--kubeconfig", str(path), *args])


def can(cluster: Cluster, token: str, *what: str) -> bool:
    """Say whether RBAC lets somebody with a token do this."""
    answer = kubectl(cluster, token, "auth", "can-i", *what).stdout.strip()
    assert answer in ("yes", "no")
    return answer == "yes"


def who(cluster: Cluster, token: str) -> dict[str, Any]:
    """Return whom the API server takes somebody with a token for; empty where it refuses it."""
    done = kubectl(cluster, token, "auth", "whoami", "-o", "json")
    return json.loads(done.stdout)["status"]["userInfo"] if done.returncode == 0 else {}


def test_given_the_page_then_a_machine_logs_in_and_people_still_do(
    door: Cluster,
    operator: Reader,
    machine: Credentials,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert logins.wait_for_login(door) == "knobby"

    for name, value in aws_tokens.environment(machine).items():
        monkeypatch.setenv(name, value)
    printed = follow(operator, "5. Log in")

    shown = how_to.blocks(PAGE, "5. Log in")[1]
    for line in (line.split() for line in shown.splitlines()):
        assert line in [each.split() for each in printed.splitlines()]
    assert "AWS_" not in (operator.folder / "deployer.yaml").read_text()


@pytest.mark.parametrize("algorithm", ["ES384", "RS256"])
def test_given_a_role_when_it_logs_in_then_its_names_are_of_its_arn_and_it_has_its_rights_alone(
    door: Cluster, machine: Credentials, algorithm: str
) -> None:
    token = aws_tokens.get(machine, AUDIENCE, algorithm=algorithm)

    found = who(door, token)

    assert found["username"] == DEPLOYER
    assert sorted(found["groups"]) == ["aws:111122223333", "system:authenticated"]
    assert "build-17" not in json.dumps(found)
    assert can(door, token, *CREATE)
    assert not can(door, token, "list", "pods", "-A")


def test_given_a_token_that_aws_did_not_sign_like_this_then_it_is_refused(
    door: Cluster, machine: Credentials
) -> None:
    token = aws_tokens.get(machine, AUDIENCE)
    claims = aws_tokens.claims(token)

    for forged in (
        aws_tokens.with_claims(token, exp=claims["exp"] + 3600),
        aws_tokens.with_claims(token, sub=f"{ROLES}/k8s-admin-role"),
    ):
        assert bad_tokens.log_in(door, forged) == 401
    assert bad_tokens.log_in(door, token) == 200


def test_given_a_role_without_a_condition_when_its_token_is_for_others_then_it_is_refused(
    door: Cluster, machine: Credentials, intruder: Credentials
) -> None:
    for asked in ((OTHER,), (AUDIENCE, OTHER)):
        with denied():
            aws_tokens.get(machine, *asked)
    with denied():
        aws_tokens.get(machine, AUDIENCE, seconds=901)

    for others in ((OTHER,), (AUDIENCE, OTHER), (OTHER, AUDIENCE)):
        assert bad_tokens.log_in(door, aws_tokens.get(intruder, *others)) == 401
    assert bad_tokens.log_in(door, aws_tokens.get(intruder, AUDIENCE)) == 200


def test_given_a_mapped_person_when_their_role_gets_a_token_then_they_gain_nothing(
    door: Cluster,
) -> None:
    person = session("knobby", arns.ROLE)
    with denied():
        aws_tokens.get(person, AUDIENCE)

    allow("k8s-view-role", FOREVER)
    try:
        token = aws_tokens.get(person, AUDIENCE)
    finally:
        allow("k8s-view-role")

    # By the first door this role is user knobby of group view.
    assert who(door, token)["username"] == f"aws:{arns.ROLE}"
    assert sorted(who(door, token)["groups"]) == ["aws:111122223333", "system:authenticated"]
    assert not can(door, token, *CREATE)


def test_given_a_delegate_who_writes_mappings_then_none_has_the_names_of_a_machine(
    door: Cluster, deployed: jubilant.Juju
) -> None:
    lead = mapping_writers.writer(
        door,
        "lead",
        mapping_writers.may_impersonate("users", "dev"),
        mapping_writers.may_impersonate("groups", "developers"),
    )

    assert not lead.create("theirs", "dev", ["developers"])
    assert "is forbidden" in lead.create("user", DEPLOYER)
    assert "is forbidden" in lead.create("group", "dev", ["aws:111122223333"])
    assert "is forbidden" in lead.patch("theirs", {"spec": {"username": DEPLOYER}})
    with pytest.raises(jubilant.TaskError, match="aws:"):
        deployed.run("aws-iam/leader", "grant-access", {"arn": arns.ROLE, "username": DEPLOYER})


def put_and_wait(operator: Reader, text: str) -> None:
    """Put another file onto the machines as the page does, until the API server uses it."""
    (operator.folder / "aws-tokens.yaml").write_text(text)
    blocks = how_to.blocks(PAGE, "2. Tell the API servers")
    operator.run(*(block for block in blocks if block.startswith("juju exec")))

    def is_used() -> bool:
        printed = follow(operator, "See that the file is in use")
        (ours,) = re.findall(r"^([0-9a-f]{64})  /root/cdk/aws-tokens.yaml$", printed, re.MULTILINE)
        return f'hash="sha256:{ours}"' in printed

    eventually(is_used, "in use", juju_status.WAIT_SECONDS)


def test_given_the_page_on_the_way_back_then_each_step_ends_what_it_says(
    deployed: jubilant.Juju,
    door: Cluster,
    operator: Reader,
    machine: Credentials,
    intruder: Credentials,
) -> None:
    (steps,) = how_to.blocks(PAGE, "Take it back")
    unbind, forbid, close = steps.splitlines()
    held = aws_tokens.get(machine, AUDIENCE)
    assert can(door, held, *CREATE)

    operator.run(unbind)
    assert not can(door, held, *CREATE)

    operator.run(forbid)
    with denied():
        aws_tokens.get(machine, AUDIENCE)
    assert bad_tokens.log_in(door, held) == 200

    page = (operator.folder / "aws-tokens.yaml").read_text()
    put_and_wait(operator, page.partition("jwt:")[0] + "jwt: []\n")
    eventually(lambda: bad_tokens.log_in(door, held) == 401, "refused")
    assert bad_tokens.log_in(door, aws_tokens.get(intruder, AUDIENCE)) == 401

    operator.run(close)
    juju_status.wait_until_active(deployed)
    flags = on_machines(deployed, "cat /var/snap/kube-apiserver/current/args")
    assert "authentication-config" not in flags
    assert all(f"--{name}={value}\n" in flags for name, value in AUDIT.items())
    assert logins.wait_for_login(door) == "knobby"
