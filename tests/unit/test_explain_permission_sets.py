"""`explain-access` maps the role of a permission set at once if it is asked about it."""

from __future__ import annotations

import json

import pytest
from tests.unit.explaining import ROLE, explained, refuse
from tests.unit.fake_cluster import MAPPINGS, FakeCluster
from tests.unit.faults import refusal
from tests.unit.model import Model

SSO = "arn:aws:iam::111122223333:role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
SSO_SESSION = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081/zoe"
DEVOPS = {"permission-set": "DevOps", "account": "111122223333", "username": "devops"}
NO_ROLE = "permission set DevOps@111122223333 (mappings[0])"


def declare(model: Model, *entries: dict[str, str]) -> None:
    """Set the option; no hook has run with it yet."""
    model.config = {"mappings": json.dumps(entries)}


@pytest.mark.parametrize("arn", [SSO, SSO_SESSION])
def test_given_a_refused_role_of_a_declared_set_when_explained_by_the_leader_then_it_is_mapped(
    deployed: Model, api: FakeCluster, arn: str
):
    declare(deployed, DEVOPS)
    refuse(api, SSO)
    api.forget()

    results = deployed.action("explain-access", arn=arn)

    lines = results["explanation"].splitlines()
    assert lines[0] == f"{NO_ROLE} has role {SSO}: it is mapped now"
    assert lines[2].endswith("made by option, lets it in as user devops, no groups")
    assert results["admitted"] == "yes"
    (made,) = (stored for path, stored in api.objects.items() if path.startswith(MAPPINGS))
    assert made["status"]["canonicalARN"] == SSO.lower()
    api.forget()
    deployed.hook()
    assert api.changes == []


def test_given_a_role_of_a_declared_set_when_refusals_are_asked_for_then_it_is_mapped_too(
    deployed: Model, api: FakeCluster
):
    declare(deployed, DEVOPS, {"arn": ROLE})
    refuse(api, SSO)

    lines = deployed.action("explain-access", recent=True)["explanation"].splitlines()

    assert lines[0] == f"{NO_ROLE} has role {SSO}: it is mapped now"
    assert lines[-1] == "it is mapped by now"
    # The leader's hooks make what is left of the option.
    assert len([path for path in api.objects if path.startswith(MAPPINGS)]) == 1


def test_given_a_set_provisioned_again_when_explained_then_its_mapping_names_the_new_role(
    deployed: Model, api: FakeCluster
):
    declare(deployed, DEVOPS)
    old = SSO.replace("1a2b", "ffff")
    refuse(api, old)
    deployed.hook()
    refuse(api, SSO)

    assert deployed.action("explain-access", arn=SSO)["admitted"] == "yes"
    assert deployed.action("explain-access", arn=old)["admitted"] == "no"


def test_given_a_refused_role_of_a_declared_set_when_another_unit_explains_then_the_leader_will(
    two: Model, api: FakeCluster
):
    declare(two, DEVOPS)
    refuse(api, SSO)
    api.forget()

    results = two.action("explain-access", unit=1, arn=SSO)

    assert results["explanation"].splitlines()[0] == (
        f"{NO_ROLE} has role {SSO}: the leader maps it within a minute"
    )
    assert results["admitted"] == "no"
    assert api.changes == []


def test_given_a_declared_set_that_nobody_has_used_when_explained_then_a_login_is_the_remedy(
    deployed: Model, api: FakeCluster
):
    declare(deployed, DEVOPS)

    lines = explained(deployed, SSO_SESSION)

    assert lines[2] == (
        f"{NO_ROLE} will let it in: the leader maps the role within a minute after its first "
        "login, which is refused"
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


def test_given_a_policy_that_refuses_the_mapping_when_explained_then_its_reason_is_said(
    deployed: Model, api: FakeCluster
):
    declare(deployed, DEVOPS)
    refuse(api, SSO)
    api.fail(
        refusal(403, 'admission webhook "no" denied the request: no'), request=f"POST {MAPPINGS}"
    )

    results = deployed.action("explain-access", arn=SSO)

    assert results["explanation"].splitlines()[0] == (
        f"{NO_ROLE} has role {SSO}: the cluster refuses it: "
        'admission webhook "no" denied the request: no'
    )
    assert results["admitted"] == "no"
