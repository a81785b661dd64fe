"""Mappings by which somebody can administer the cluster: each is announced, and counted."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.collecting import expressions, relate
from tests.fakes.declaring import ACCOUNT, Declare, entry
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import MAPPINGS, NOTICES
from tests.fakes.kubernetes.server import FakeCluster

ADMIN = {"role": "cluster-admin"}
OTHER = f"{ACCOUNT}:role/Other"


@pytest.fixture(autouse=True)
def _roles(api: FakeCluster) -> None:
    for name in ("view", "cluster-admin"):
        api.add_role(name, "get")


@pytest.fixture
def watched(deployed: Model) -> Model:
    """A unit that a collector is related to."""
    relate(deployed)
    return deployed


def announced(api: FakeCluster) -> list[str]:
    """The mappings with an event that somebody can administer the cluster."""
    return [
        event["regarding"]["name"]
        for path, event in api.objects.items()
        if path.startswith(NOTICES) and event["reason"] == "SuperuserMapped"
    ]


def lasting(model: Model) -> str:
    return expressions(model)["AwsIamLastingAdministrator"]


@pytest.mark.parametrize(
    ("access", "is_administrator"), [(ADMIN, True), ({"role": "view"}, False)]
)
def test_given_rights_that_administer_the_cluster_then_their_mapping_is_announced_and_counts(
    declare: Declare,
    watched: Model,
    api: FakeCluster,
    access: dict[str, Any],
    is_administrator: bool,
):
    declare(entry("dev", access=[access]))
    watched.hook()
    watched.hook()

    assert announced(api) == ["dev"] * is_administrator
    assert lasting(watched) == f"vector({int(is_administrator)}) > 0"


def test_given_an_administrator_by_rights_when_an_end_is_declared_or_they_go_then_none_counts(
    declare: Declare, watched: Model
):
    declare(entry("dev", access=[ADMIN]))
    watched.hook()
    assert lasting(watched) == "vector(1) > 0"

    declare(entry("dev", access=[ADMIN], expires="2099-01-01T00:00:00Z"))
    watched.hook()
    assert lasting(watched) == "vector(0) > 0"

    declare(entry("dev", access=[ADMIN]))
    watched.hook()
    declare(entry("dev", access=[{"role": "view"}]))
    watched.hook()
    assert lasting(watched) == "vector(0) > 0"


def test_given_a_grant_that_administers_the_cluster_then_it_is_announced_and_counts(
    watched: Model, api: FakeCluster
):
    watched.action("grant-access", arn=OTHER, username="o", name="o", role="cluster-admin")

    watched.hook()

    assert announced(api) == ["o"]
    assert lasting(watched) == "vector(1) > 0"
    watched.action("revoke-access", arn=OTHER)
    watched.hook()
    assert lasting(watched) == "vector(0) > 0"


# What somebody who may write mappings could hide or forge.


@pytest.mark.parametrize(
    ("groups", "expires"),
    [
        (["system:masters"], "never"),
        (["system:masters", "aws-iam:dev"], ""),
        (["aws-iam:dev"], ""),
        (["aws-iam:{{SessionName}}"], ""),
    ],
    ids=["end", "masters", "group", "template"],
)
def test_given_an_administrator_with_something_to_correct_then_that_hides_nothing(
    declare: Declare, watched: Model, api: FakeCluster, groups: list[str], expires: str
):
    declare(entry("dev", access=[ADMIN], expires="2099-01-01T00:00:00Z"))
    api.add_mapping("mallory", OTHER, OTHER.lower(), groups=groups, expires=expires)

    watched.hook()

    assert "mallory" in announced(api)
    assert lasting(watched) == "vector(1) > 0"


def test_given_the_group_of_a_grant_when_only_another_mapping_has_it_then_its_role_goes(
    watched: Model, api: FakeCluster
):
    watched.action("grant-access", arn=OTHER, username="o", name="o", role="cluster-admin")
    api.objects[f"{MAPPINGS}/o"]["spec"]["groups"] = []
    other = f"{ACCOUNT}:role/Mallory"
    api.add_mapping("mallory", other, other.lower(), groups=["aws-iam:o"])

    watched.hook()

    assert not [path for path in api.objects if "/aws-iam-o-" in path]
    assert announced(api) == []
    assert lasting(watched) == "vector(0) > 0"


def test_given_an_administrator_whose_end_a_finalizer_undoes_then_that_hides_nothing(
    watched: Model, api: FakeCluster
):
    past = "1970-01-01T00:00:00Z"
    api.add_mapping("mallory", OTHER, OTHER.lower(), groups=["system:masters"], expires=past)
    api.objects[f"{MAPPINGS}/mallory"]["metadata"]["finalizers"] = ["example.com/keep"]

    watched.hook()
    watched.hook()

    assert f"{MAPPINGS}/mallory" in api.objects
    assert announced(api) == ["mallory"]


def test_given_a_group_that_nothing_is_bound_to_then_nobody_administers(
    watched: Model, api: FakeCluster
):
    api.add_mapping("mallory", OTHER, OTHER.lower(), groups=["aws-iam:mallory"])

    watched.hook()

    assert announced(api) == []
    assert lasting(watched) == "vector(0) > 0"
