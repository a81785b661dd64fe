"""A registry of one's own, by the commands of docs/how-to/image.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jubilant
import pytest
from tests.integration.helpers import how_to, juju_status, logins
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import DEPLOYMENT, KUBE_SYSTEM, Cluster

PAGE = "image.md"


@pytest.fixture(scope="module", autouse=True)
def _public(deployed: jubilant.Juju) -> Iterator[None]:
    yield
    deployed.config("aws-iam", {"image-registry": ""})


def test_given_a_registry_that_has_the_image_then_the_pods_pull_from_it_and_no_login_fails(
    deployed: jubilant.Juju, cluster: Cluster, reader: Reader
) -> None:
    with logins.RepeatedLogins(cluster) as people:
        _follow(reader, "Use the registry")
        juju_status.wait_until_active(deployed)

    assert _registries(cluster) == ["registry.example.com"]
    assert any(_is_pull(event) for event in cluster.get(*KUBE_SYSTEM, "events")["items"])
    assert people.failed == []
    assert people.succeeded > 0


def test_given_the_public_registry_again_then_the_pods_are_from_there(
    deployed: jubilant.Juju, cluster: Cluster, reader: Reader
) -> None:
    _follow(reader, "Back to the public registry")
    juju_status.wait_until_active(deployed)

    assert _registries(cluster) == ["public.ecr.aws"]
    assert logins.wait_for_login(cluster) == "knobby"


def _follow(reader: Reader, heading: str) -> None:
    for line in how_to.shown(PAGE, heading):
        reader.run(line)


def _registries(cluster: Cluster) -> list[str]:
    template = cluster.get(*DEPLOYMENT)["spec"]["template"]["spec"]
    return [each["image"].partition("/")[0] for each in template["containers"]]


def _is_pull(event: dict[str, Any]) -> bool:
    message = event.get("message") or ""
    return message.startswith('Successfully pulled image "registry.example.com/')
