"""What is said of a refused role whose permission set the option declares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes.explaining import ROLE, explained, refuse
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

SSO = "arn:aws:iam::111122223333:role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
SSO_SESSION = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081/zoe"
DEVOPS = {"permission-set": "DevOps", "account": "111122223333", "username": "devops"}
NO_ROLE = "permission set DevOps@111122223333 (mappings[0])"


def declare(model: Model, *entries: dict[str, str]) -> None:
    """Set the option; no hook has run with it yet."""
    model.config = {"mappings": json.dumps(entries)}


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("explain-access", {"arn": SSO}),
        ("explain-access", {"arn": SSO_SESSION}),
        ("list-refusals", {}),
    ],
)
def test_given_a_refused_role_of_a_declared_set_when_explained_then_the_leader_will_map_it(
    two: Model, api: FakeCluster, action: str, params: dict[str, Any]
):
    declare(two, DEVOPS, {"arn": ROLE})
    refuse(api, SSO)
    api.forget()

    results = two.action(action, unit=1, **params)

    text = results.get("explanation") or results["refusals"]
    lines = text.splitlines()
    assert "grant-access" not in text
    refused = next(line for line in lines if line.startswith(f"{SSO}, once, "))
    assert lines[lines.index(refused) + 1] == (
        f"{NO_ROLE} has role {SSO}: the leader's next hook maps it; to map it now, run: juju exec "
        "--unit aws-iam/leader -- JUJU_DISPATCH_PATH=hooks/update-status ./dispatch"
    )
    assert results.get("admitted", "no") == "no"
    assert api.changes == []
    assert api.requests.count(f"GET {MAPPINGS}") == 1


def test_given_a_second_role_of_a_set_when_it_is_refused_then_the_role_in_use_stays(
    deployed: Model, api: FakeCluster
):
    declare(deployed, DEVOPS)
    used = SSO.replace("1a2b", "ffff")
    refuse(api, used)
    deployed.hook()
    refuse(api, SSO)

    deployed.hook()

    assert deployed.action("explain-access", arn=used)["admitted"] == "yes"
    results = deployed.action("explain-access", arn=SSO)
    assert results["admitted"] == "no"
    line = (
        f"{NO_ROLE} has role {used}: if it was provisioned again, set suffix: 1a2b3c4d5e6f7081 in "
        "mappings[0]"
    )
    assert line in results["explanation"].splitlines()
    assert "grant-access" not in results["explanation"]
    assert line in deployed.action("list-refusals")["refusals"].splitlines()


@pytest.mark.parametrize("arn", [SSO_SESSION, SSO.lower()], ids=["a session", "in lower case"])
def test_given_a_declared_set_that_nobody_has_used_when_explained_then_a_login_is_the_remedy(
    deployed: Model, arn: str
):
    declare(deployed, DEVOPS)

    lines = explained(deployed, arn)

    assert lines[2] == (
        f"{NO_ROLE} will let it in: its first login is refused, and the leader's next hook maps "
        "the role then"
    )
    assert "grant-access" not in "".join(lines)


@pytest.mark.parametrize(
    "arn", [SSO.replace("DevOps", "devops"), SSO.replace("DevOps", "DevOps_Admin"), ROLE]
)
def test_given_a_refused_role_of_no_declared_set_when_explained_then_nothing_is_mapped(
    deployed: Model, api: FakeCluster, arn: str
):
    declare(deployed, DEVOPS)
    refuse(api, arn)
    api.forget()

    assert "juju run aws-iam/leader grant-access" in "".join(explained(deployed, arn))
    assert api.changes == []
