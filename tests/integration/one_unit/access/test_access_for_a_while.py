"""Access for a while: it is granted, it ends by itself, and it is revoked."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import jubilant
import pytest
from tests.integration.helpers import arns, juju_status, kubernetes, logins
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster

LEADER = "aws-iam/leader"
GRANT = {"arn": arns.USER, "username": "mallory", "groups": "view", "reason": "incident 42"}


@pytest.fixture(scope="module")
def mallory(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Cluster:
    """Return the cluster for a person who logs in as the user of his keys, through no role."""
    folder = tmp_path_factory.mktemp("mallory")
    return kubernetes.with_region(deployed, cluster, "us-east-1", folder)


def is_refused(mallory: Cluster) -> bool:
    return "Unauthorized" in mallory.whoami("mallory").stderr


def test_given_a_grant_then_its_person_logs_in_until_it_ends_by_itself(
    deployed: jubilant.Juju, mallory: Cluster
) -> None:
    assert is_refused(mallory)

    granted = deployed.run(LEADER, "grant-access", {**GRANT, "for": "30s"}).results

    assert granted["result"] == "granted"
    assert logins.wait_for_login(mallory, "mallory") == "mallory"
    name = granted["mapping"]
    annotations = mallory.get(MAPPINGS, name)["metadata"]["annotations"]
    assert annotations["aws-iam/reason"] == "incident 42"
    assert annotations["aws-iam/expires"] == granted["ends"]
    eventually(lambda: name not in mallory.mapping_names(), "deleted", seconds=90)
    eventually(lambda: is_refused(mallory), "refused")
    for said in (f"(incident 42): write mapping {name}", f": delete mapping {name}"):
        assert said in deployed.debug_log(limit=5000)


def test_given_a_unit_that_is_blocked_or_waits_when_a_grant_ends_then_its_person_is_refused(
    deployed: jubilant.Juju, mallory: Cluster
) -> None:
    granted = deployed.run(LEADER, "grant-access", {**GRANT, "for": "20s"}).results
    assert logins.wait_for_login(mallory, "mallory") == "mallory"

    deployed.config("aws-iam", {"replicas": 0})

    eventually(lambda: granted["mapping"] not in mallory.mapping_names(), "deleted", seconds=90)
    juju_status.wait_until(deployed, "blocked")
    assert is_refused(mallory)
    deployed.config("aws-iam", {"replicas": 2})
    juju_status.wait_until_active(deployed)


def test_given_a_grant_that_is_repeated_then_it_lasts_as_long_as_was_said_last(
    deployed: jubilant.Juju, mallory: Cluster
) -> None:
    first = deployed.run(LEADER, "grant-access", {**GRANT, "for": "1m"}).results
    again = deployed.run(LEADER, "grant-access", {**GRANT, "for": "2h", "groups": "dev"}).results

    assert again["result"] == "changed"
    assert again["previous-end"] == first["ends"]
    stored = mallory.get(MAPPINGS, first["mapping"])
    assert stored["metadata"]["annotations"]["aws-iam/expires"] == again["ends"]
    assert stored["spec"]["groups"] == ["dev"]


def test_given_mappings_of_a_principal_then_revoke_ends_all_of_them(
    deployed: jubilant.Juju, mallory: Cluster
) -> None:
    mallory.map("by-hand", arns.USER.upper().replace("ARN:AWS:IAM", "arn:aws:iam"), "mallory")
    assert logins.wait_for_login(mallory, "mallory") == "mallory"
    before = mallory.mapping_names()

    revoked = deployed.run(LEADER, "revoke-access", {"arn": arns.USER}).results

    assert "by-hand: " in revoked["mappings"]
    assert "mallory-" in revoked["mappings"]
    others = {name for name in before if not name.startswith(("by-hand", "mallory-"))}
    assert mallory.mapping_names() == others
    eventually(lambda: is_refused(mallory), "refused")
    again = deployed.run(LEADER, "revoke-access", {"arn": arns.USER}).results
    assert again["result"].startswith("nothing to revoke")


def test_given_an_annotation_of_a_person_then_the_mapping_ends_at_its_time(
    deployed: jubilant.Juju, mallory: Cluster
) -> None:
    mallory.map("by-hand", arns.USER, "mallory")
    assert logins.wait_for_login(mallory, "mallory") == "mallory"
    with juju_status.frequent_update_status(deployed):
        mallory.kubectl("annotate", MAPPINGS, "by-hand", "aws-iam/expires=tomorrow")
        named = "by-hand: annotation aws-iam/expires: 'tomorrow' is not a time"
        eventually(lambda: named in juju_status.message(deployed), "named")
        assert "by-hand" in mallory.mapping_names()

        soon = (datetime.now(timezone.utc) + timedelta(seconds=5)).isoformat()
        mallory.kubectl("annotate", MAPPINGS, "by-hand", f"aws-iam/expires={soon}", "--overwrite")
        eventually(lambda: "by-hand" not in mallory.mapping_names(), "deleted")
    eventually(lambda: is_refused(mallory), "refused")
    juju_status.wait_until_active(deployed)
