"""What `{{SessionName}}` is, by the client and by the way in which a person logs in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jubilant
from demo import keys
from tests.integration.helpers import arns, kubernetes, logins
from tests.integration.helpers.bad_tokens import TRUST, WITH_AWS_CLI
from tests.integration.helpers.kubernetes import Cluster

ADMIN_ROLE = "arn:aws:iam::111122223333:role/k8s-admin-role"
MADE_UP = "aws-go-sdk-"
FORWARDS = "--forward-session-name"


def session(
    juju: jubilant.Juju,
    folder: Path,
    environment: dict[str, str],
    argument: str = "",
    **asked: Any,
) -> str:
    """Return the name of the session of a login, as Kubernetes has it.

    ``argument`` is one more for the client, which the person writes into the kubeconfig.
    """
    kubeconfig = kubernetes.save_kubeconfig(juju, folder / "person", **asked)
    if argument:
        text = kubeconfig.read_text()
        kubeconfig.write_text(text.replace('"token",', f'"token", "{argument}",'))
    person = str(kubeconfig)
    command = [*WITH_AWS_CLI, "kubectl", "--kubeconfig", person, "auth", "whoami", "-o", "json"]
    found = kubernetes.run_for_json(command, {**TRUST, **environment})
    return found["status"]["userInfo"]["extra"]["sessionName"][0]


def federated(role: str) -> dict[str, str]:
    """Return keys of a session of bob's, as a federation gives them to people."""
    command = ("aws", "sts", "assume-role", "--role-arn", role, "--output", "json")
    named = ("--role-session-name", "bob@example.com", "--region", "us-east-1")
    environment = {**TRUST, **keys.environment("knobby")}
    given = kubernetes.run_for_json([*WITH_AWS_CLI, *command, *named], environment)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def test_given_an_iam_users_keys_when_the_client_assumes_the_role_then_it_names_the_session(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    asked, own = {"arn": arns.ROLE}, keys.environment("knobby")

    assert session(deployed, tmp_path, own, **asked).startswith(MADE_UP)
    assert session(deployed, tmp_path, own, "--session-name=alice", **asked) == "alice"
    # An IAM user has no session whose name it could forward.
    assert session(deployed, tmp_path, own, FORWARDS, **asked).startswith(MADE_UP)
    # The pods follow the token to sts.us-east-1.api.aws, too.
    for settings in (
        {"AWS_DEFAULT_OUTPUT": "text", "AWS_REGION": "eu-west-1"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
    ):
        by_cli = session(deployed, tmp_path, {**own, **settings}, client="aws", **asked)
        assert by_cli == "EKSGetTokenAuth"


def test_given_a_federated_person_when_they_log_in_then_their_name_is_kept_or_forwarded(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    asked, theirs = {"arn": arns.ROLE}, federated(ADMIN_ROLE)

    assert session(deployed, tmp_path, theirs, **asked).startswith(MADE_UP)
    assert session(deployed, tmp_path, theirs, FORWARDS, **asked) == "bob@example.com"
    # Who has the mapped role already needs no role in the kubeconfig.
    theirs = federated(arns.ROLE)
    assert session(deployed, tmp_path, theirs) == "bob@example.com"
    assert session(deployed, tmp_path, theirs, client="aws") == "bob@example.com"


def test_given_a_profile_that_assumes_the_role_when_the_aws_cli_uses_it_then_it_names_the_session(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(logins.PROFILE)
    environment = {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(keys.credentials_file()),
    }

    found = session(deployed, tmp_path, environment, profile="k8s", client="aws")

    assert found == "alice"
