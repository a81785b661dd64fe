"""Access for a while: it is granted, it ends by itself, and it is revoked."""

from __future__ import annotations

from pathlib import Path

import jubilant
from tests.integration.helpers import arns, kubernetes, logins
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster

LEADER = "aws-iam/leader"
GRANT = {"arn": arns.USER, "username": "mallory", "groups": "view", "reason": "incident 42"}


def test_given_a_grant_then_its_person_logs_in_until_it_ends_or_is_revoked(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    # He logs in as the user of his keys, through no role.
    mallory = kubernetes.with_region(deployed, cluster, "us-east-1", tmp_path)

    def is_refused() -> bool:
        return "Unauthorized" in mallory.whoami("mallory").stderr

    assert is_refused()

    granted = deployed.run(LEADER, "grant-access", {**GRANT, "for": "30s"}).results

    assert granted["result"] == "granted"
    assert logins.wait_for_login(mallory, "mallory") == "mallory"
    name = granted["mapping"]
    annotations = mallory.get(MAPPINGS, name)["metadata"]["annotations"]
    assert annotations["aws-iam/reason"] == "incident 42"
    assert annotations["aws-iam/expires"] == granted["ends"]
    eventually(lambda: name not in mallory.mapping_names(), "deleted", seconds=90)
    eventually(is_refused, "refused")
    for said in (f"(incident 42): write mapping {name}", f": delete mapping {name}"):
        assert said in deployed.debug_log(limit=5000)

    deployed.run(LEADER, "grant-access", {**GRANT, "for": "2h"})
    assert logins.wait_for_login(mallory, "mallory") == "mallory"
    revoked = deployed.run(LEADER, "revoke-access", {"arn": arns.USER}).results
    assert "mallory-" in revoked["mappings"]
    eventually(is_refused, "refused")
