"""People who have the AWS CLI and no aws-iam-authenticator log in with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import jubilant
import pytest
from demo import keys
from tests.integration.helpers import arns, kubernetes, logins
from tests.integration.helpers.bad_tokens import TRUST, WITH_AWS_CLI
from tests.integration.helpers.kubernetes import Cluster


@pytest.fixture
def person(deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path) -> Path:
    """Return the kubeconfig of a person without aws-iam-authenticator."""
    return kubernetes.save_kubeconfig(deployed, tmp_path / "person", arn=arns.ROLE, client="aws")


@pytest.mark.parametrize(
    "settings",
    [
        {"AWS_DEFAULT_OUTPUT": "text", "AWS_REGION": "eu-west-1"},
        # The pods follow the token to sts.us-east-1.api.aws.
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
    ],
)
def test_given_a_kubeconfig_for_the_aws_cli_when_a_person_uses_it_then_they_are_logged_in(
    person: Path, settings: dict[str, str]
) -> None:
    done = whoami(person, "knobby", settings)

    assert logins.username(done) == "knobby"
    # What {{SessionName}} is then: the person is not in it.
    assert "EKSGetTokenAuth" in done.stdout


def test_given_keys_that_aws_refuses_when_they_are_used_then_aws_says_so(person: Path) -> None:
    done = whoami(person, "knobby", {"AWS_SECRET_ACCESS_KEY": "another-one"})

    assert done.returncode
    assert "calling the AssumeRole operation" in done.stderr


def whoami(
    kubeconfig: Path, user: str, settings: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run ``kubectl auth whoami`` with the AWS keys of ``user``, and the AWS CLI on PATH."""
    command = [*WITH_AWS_CLI, "kubectl", "--kubeconfig", str(kubeconfig), "auth", "whoami"]
    return kubernetes.run(command, environment={**TRUST, **keys.environment(user), **settings})
