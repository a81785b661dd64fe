"""A refresh to the charm's next version, which has another default image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import bundle, juju_status, logins
from tests.integration.helpers.kubernetes import DEPLOYMENT, Cluster

FORMER, NEXT = "v0.7.18", "v0.7.13"


@pytest.fixture
def refreshed_back(deployed: jubilant.Juju) -> Iterator[None]:
    """Leave the charm to the other files as it was."""
    yield
    deployed.refresh("aws-iam", path=bundle.packed_charm())
    juju_status.wait_for_version(deployed, FORMER)


@pytest.mark.usefixtures("refreshed_back")
def test_given_a_next_version_when_refreshed_then_no_login_fails_meanwhile(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    assert deployed.status().apps["aws-iam"].version == FORMER
    logins.wait_for_login(cluster)

    with logins.RepeatedLogins(cluster) as people:
        deployed.refresh("aws-iam", path=bundle.next_version(tmp_path))
        juju_status.wait_for_version(deployed, NEXT)

    assert people.failed == []
    assert people.succeeded > 10
    template = cluster.get(*DEPLOYMENT)["spec"]["template"]
    assert [c["image"] for c in template["spec"]["containers"]] == [bundle.OTHER_IMAGE]
