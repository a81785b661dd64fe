"""A registry that wants credentials, by the commands of docs/how-to/use-a-private-registry.md."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jubilant
import pytest
from tests.integration.helpers import juju_status, logins, testbed_only
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster

PAGE = Path(__file__).parents[3] / "docs/how-to/use-a-private-registry.md"
PASSWORD = "let-me-pull"
SYSTEM = ("-n", "kube-system")
DEPLOYMENT = (*SYSTEM, "deployment", "aws-iam-authenticator")
PULL_SECRET = (*SYSTEM, "secret", "aws-iam-pull-secret")
PODS = (*SYSTEM, "pods", "-l", "k8s-app=aws-iam-authenticator")
ID = re.compile(r"secret:[a-z0-9]{20}")


class Operator:
    """Runs the page's commands, in a folder with the password in a file."""

    def __init__(self, juju: jubilant.Juju, folder: Path) -> None:
        self._juju, self._folder = juju, folder
        self._id = ""
        self.set_password(PASSWORD)

    def set_password(self, password: str) -> None:
        (self._folder / "password.txt").write_text(password)

    def follow(self, heading: str) -> None:
        """Run every command under a heading, with the id that Juju printed for its secret."""
        _, _, section = PAGE.read_text().partition(f"\n## {heading}\n")
        lines = section.partition("\n## ")[0].splitlines()
        for line in [line.strip() for line in lines if line.startswith("    juju ")]:
            if "update-secret" not in line:
                self.run(line)

    def run(self, line: str) -> None:
        command = ["env", f"JUJU_MODEL={self._juju.model}", *ID.sub(self._id, line).split()]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        if found := ID.match(done.stdout):
            self._id = found[0]


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the cluster with a kubeconfig of today: another file changes the cluster id."""
    testbed_only.require_lab("only the testbed has this registry")
    return logins.first_login(deployed, tmp_path_factory.mktemp("kubeconfigs"))


@pytest.fixture(scope="module")
def operator(
    deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    yield Operator(deployed, tmp_path_factory.mktemp("operator"))
    deployed.config("aws-iam", {"image-registry": "", "image-pull-secret": ""})


def test_given_a_registry_that_wants_credentials_then_the_unit_says_why_no_image_comes(
    deployed: jubilant.Juju, cluster: Cluster, operator: Operator
) -> None:
    operator.follow("A registry that anyone may pull from")
    juju_status.wait_until(deployed, "blocked")

    shown = juju_status.message(deployed)
    assert shown.startswith("an authenticator pod cannot start: ")
    assert shown.endswith(": no basic auth credentials'")
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_a_secret_that_is_granted_then_the_pods_pull_with_it_and_no_login_fails(
    deployed: jubilant.Juju, cluster: Cluster, operator: Operator
) -> None:
    with logins.RepeatedLogins(cluster) as people:
        operator.follow("A registry that wants credentials")
        juju_status.wait_until_active(deployed)

    images = [c["image"] for c in _template(cluster)["containers"]]
    assert [image.partition("/")[0] for image in images] == ["registry.example.com"]
    pulled = [e["message"] for e in cluster.get(*SYSTEM, "events")["items"] if _is_pull(e)]
    assert pulled
    assert people.failed == []
    assert people.succeeded > 0
    assert PASSWORD not in deployed.debug_log(limit=1000)


def test_given_a_new_password_then_the_pull_secret_has_it_and_no_pod_is_replaced(
    deployed: jubilant.Juju, cluster: Cluster, operator: Operator
) -> None:
    pods = _names(cluster)
    operator.set_password("another")
    operator.run("juju update-secret aws-iam-registry username=puller password#file=password.txt")

    wanted = {"registry.example.com": {"username": "puller", "password": "another"}}
    eventually(lambda: _auths(cluster) == wanted, "the new password in the cluster")
    juju_status.wait_until_active(deployed)
    assert _names(cluster) == pods


def test_given_the_public_registry_again_then_the_pull_secret_is_gone(
    deployed: jubilant.Juju, cluster: Cluster, operator: Operator
) -> None:
    operator.follow("Back to the public registry")
    # Juju 4.1-beta2 may not tell the unit, which then sees it at its next update-status.
    eventually(
        lambda: "imagePullSecrets" not in _template(cluster),
        "pods of the public registry",
        juju_status.WAIT_SECONDS,
    )
    juju_status.wait_until_active(deployed)

    assert "aws-iam-pull-secret" not in cluster.kubectl("get", *SYSTEM, "secrets")
    assert logins.wait_for_login(cluster) == "knobby"


def _template(cluster: Cluster) -> dict[str, Any]:
    return cluster.get(*DEPLOYMENT)["spec"]["template"]["spec"]


def _names(cluster: Cluster) -> set[str]:
    items = cluster.get(*PODS)["items"]
    return {i["metadata"]["name"] for i in items if "deletionTimestamp" not in i["metadata"]}


def _auths(cluster: Cluster) -> dict[str, dict[str, str]]:
    data = cluster.get(*PULL_SECRET)["data"][".dockerconfigjson"]
    return json.loads(base64.b64decode(data))["auths"]


def _is_pull(event: dict[str, Any]) -> bool:
    message = event.get("message") or ""
    return message.startswith('Successfully pulled image "registry.example.com/')
