"""The kubeconfig of its page: its namespace, and a client that keeps a session."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

from demo import keys
from tests.integration.helpers import kubernetes, logins
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster

PAGE = "kubeconfigs.md"
ROLE = "arn:aws:iam::111122223333:role/k8s-dev-role"


def test_given_a_kubeconfig_with_a_namespace_when_it_is_used_then_it_asks_that_namespace(
    cluster: Cluster, reader: Reader
) -> None:
    reader.follow(PAGE, "Get a kubeconfig")
    cluster.map("k8s-dev", ROLE, "dev")

    def asked() -> bool:
        done = kubectl(reader, keys.environment("knobby"), "get", "secrets", "--v=6")
        return "/api/v1/namespaces/dev/secrets" in done.stderr

    eventually(asked, "asked", seconds=180)
    cluster.kubectl("delete", MAPPINGS, "k8s-dev")


def test_given_a_client_that_keeps_the_session_when_the_keys_are_gone_then_the_session_goes_on(
    reader: Reader, tmp_path: Path
) -> None:
    config, credentials, cache = (tmp_path / name for name in ("config", "credentials", "cache"))
    config.write_text(logins.PROFILE)
    credentials.write_text(keys.credentials_file().read_text())
    environment = {
        "AWS_CONFIG_FILE": str(config),
        "AWS_PROFILE": "k8s",
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_IAM_AUTHENTICATOR_CACHE_FILE": str(cache),
    }
    whoami = ("auth", "whoami", "-o", "json")
    reader.follow(PAGE, "Of a profile with MFA")
    first = kubectl(reader, environment, *whoami)
    assert first.returncode == 0, first.stderr
    credentials.write_text("[knobby]\naws_access_key_id = AKIAGONE\naws_secret_access_key = x\n")

    second = kubectl(reader, environment, *whoami)
    environment["AWS_IAM_AUTHENTICATOR_CACHE_FILE"] = str(tmp_path / "another")
    without = kubectl(reader, environment, *whoami)

    extra = json.loads(second.stdout)["status"]["userInfo"]["extra"]
    assert extra["sessionName"] == ["alice"]
    assert without.returncode
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600


def kubectl(
    reader: Reader, environment: dict[str, str], *args: str
) -> subprocess.CompletedProcess[str]:
    """Run kubectl with the kubeconfig that the page has saved."""
    saved = str(reader.folder / "aws-iam.yaml")
    return kubernetes.run(["kubectl", "--kubeconfig", saved, *args], environment=environment)
