"""The option `mappings`: who may log in, as a file."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import arns, bad_tokens, juju_status, kubernetes, logins
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster

ADMIN_ROLE = "arn:aws:iam::111122223333:role/k8s-admin-role"
MALLORY = f"""\
    - userarn: {arns.USER}
      username: mallory
      groups:
      - view
"""
ADMINS = f"""\
    - rolearn: {ADMIN_ROLE.replace("role/", "role/team/")}
      username: admin:{{{{SessionName}}}}
      groups:
      - system:masters
"""
NODES = """\
    - rolearn: arn:aws:iam::111122223333:role/eksctl-prod-NodeInstanceRole-1A2B3C
      username: system:node:{{EC2PrivateDNSName}}
      groups:
      - system:bootstrappers
      - system:nodes
"""
Declare = Callable[..., None]


def aws_auth(roles: str = "", users: str = "") -> str:
    """Return EKS's ConfigMap with these entries."""
    parts = [
        f"  {key}: |\n{entries}" for key, entries in (("mapRoles", roles), ("mapUsers", users))
    ]
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: aws-auth\n"
    return f"{head}  namespace: kube-system\ndata:\n{''.join(parts)}"


def reset(juju: jubilant.Juju, cluster: Cluster) -> None:
    """Reset the option, and wait until what it made is gone.

    Juju 4.1-beta2 may not tell the unit, which then sees it at its next update-status.
    """
    juju.config("aws-iam", {"mappings": ""})
    made = (MAPPINGS, "-l", "aws-iam/source=option")
    gone, seconds = (lambda: not cluster.get(*made)["items"]), juju_status.WAIT_SECONDS
    eventually(gone, "what the option made goes", seconds)
    juju_status.wait_until_active(juju)


@pytest.fixture
def declare(deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path) -> Iterator[Declare]:
    """Set the option from a file, and reset it in the end."""

    def run(text: str, status: str = "active") -> None:
        file = tmp_path / "mappings.yaml"
        file.write_text(textwrap.dedent(text))
        deployed.cli("config", "aws-iam", f"mappings=@{file}")
        juju_status.wait_until(deployed, status)

    yield run
    reset(deployed, cluster)


@pytest.fixture
def users(deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path) -> Cluster:
    """Return the cluster for people who log in as IAM users."""
    return kubernetes.with_region(deployed, cluster, "eu-west-1", tmp_path)


def test_given_an_aws_auth_file_when_it_is_set_then_its_people_log_in(
    deployed: jubilant.Juju, declare: Declare, users: Cluster, tmp_path: Path
) -> None:
    admins = kubernetes.connect(deployed, tmp_path, ADMIN_ROLE)
    assert users.whoami("mallory").returncode
    assert admins.whoami("knobby").returncode

    declare(aws_auth(NODES + ADMINS, MALLORY))

    assert logins.wait_for_login(users, "mallory", seconds=10) == "mallory"
    assert logins.wait_for_login(admins, "knobby", seconds=10).startswith("admin:")


def test_given_an_option_that_is_reset_then_what_it_made_goes_and_peoples_mappings_stay(
    deployed: jubilant.Juju, declare: Declare, cluster: Cluster, users: Cluster
) -> None:
    before = cluster.mapping_names()
    declare(aws_auth(ADMINS, MALLORY))
    assert len(cluster.mapping_names()) == len(before) + 2

    reset(deployed, cluster)

    assert cluster.mapping_names() == before
    assert users.whoami("mallory").returncode
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_a_permission_set_when_its_refusal_is_explained_then_its_person_logs_in_at_once(
    deployed: jubilant.Juju, declare: Declare, cluster: Cluster
) -> None:
    path = "role/aws-reserved/sso.amazonaws.com/eu-west-1"
    name = "AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
    role = f"arn:aws:iam::111122223333:role/{name}"
    declare("- {permission-set: DevOps, account: '111122223333', username: 'sso:{{SessionName}}'}")

    def log_in() -> int:
        with_path = f"arn:aws:iam::111122223333:{path}/{name}"
        token = bad_tokens.of_session(cluster, "knobby", with_path, "alice@example.com")
        return bad_tokens.log_in(cluster, token)

    def explained() -> bool:
        results = deployed.run("aws-iam/leader", "explain-access", {"arn": role}).results
        return results["admitted"] == "yes"

    # An earlier test may have logged this refusal already.
    log_in()
    eventually(explained, "mapped by the next hook", seconds=120)
    eventually(lambda: log_in() != 401, "logged in")
