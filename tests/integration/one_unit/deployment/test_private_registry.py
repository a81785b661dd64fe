"""A registry that wants credentials, by the commands of docs/how-to/use-a-private-registry.md."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import jubilant
import pytest
from tests.integration.helpers import how_to, juju_status, logins, testbed_only
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import DEPLOYMENT, KUBE_SYSTEM, Cluster

PAGE = "use-a-private-registry.md"
PASSWORD = "let-me-pull"
ID = re.compile(r"secret:[a-z0-9]{20}")


class Operator:
    """Runs the page's commands, in a folder with the password in a file."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._id = reader, ""
        self.set_password(PASSWORD)

    def set_password(self, password: str) -> None:
        (self._reader.folder / "password.txt").write_text(password)

    def follow(self, heading: str) -> None:
        """Run every command under a heading, with the id that Juju printed for its secret."""
        for line in how_to.shown(PAGE, heading):
            if "update-secret" not in line:
                self.run(line)

    def run(self, line: str) -> None:
        if found := ID.match(self._reader.run(ID.sub(self._id, line))):
            self._id = found[0]


@pytest.fixture(scope="module", autouse=True)
def lab() -> None:
    testbed_only.require_lab("only the testbed has this registry")


@pytest.fixture(scope="module")
def operator(deployed: jubilant.Juju, reader: Reader) -> Iterator[Operator]:
    yield Operator(reader)
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
    pulled = [e["message"] for e in cluster.get(*KUBE_SYSTEM, "events")["items"] if _is_pull(e)]
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

    assert "aws-iam-pull-secret" not in cluster.kubectl("get", *KUBE_SYSTEM, "secrets")
    assert logins.wait_for_login(cluster) == "knobby"


def _template(cluster: Cluster) -> dict[str, Any]:
    return cluster.get(*DEPLOYMENT)["spec"]["template"]["spec"]


def _names(cluster: Cluster) -> set[str]:
    found = (pod["metadata"] for pod in cluster.pods())
    return {each["name"] for each in found if "deletionTimestamp" not in each}


def _auths(cluster: Cluster) -> dict[str, dict[str, str]]:
    secret = cluster.get(*KUBE_SYSTEM, "secret", "aws-iam-pull-secret")
    return json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]


def _is_pull(event: dict[str, Any]) -> bool:
    message = event.get("message") or ""
    return message.startswith('Successfully pulled image "registry.example.com/')
