"""What a hook makes of the list of mappings, whatever is in it."""

from __future__ import annotations

import pytest
from tests.fakes.arns import CANONICAL, DEV
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import DEFINITION, MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster


def test_given_more_than_a_thousand_mappings_when_a_hook_runs_then_their_number_is_easy_to_read(
    deployed: Model, api: FakeCluster
):
    for n in range(1200):
        canonical = f"arn:aws:iam::111122223333:role/r{n}"
        api.add_mapping(f"m{n}", canonical, canonical)

    assert deployed.hook().message == "2/2 pods, 1,200 mappings"
    assert api.changes == []


@pytest.mark.parametrize("spec", ["text", None, {"arn": 5}])
def test_given_a_mapping_from_before_there_was_a_schema_when_a_hook_runs_then_it_is_a_problem(
    deployed: Model, api: FakeCluster, spec: object
):
    api.put(f"{MAPPINGS}/old", {"spec": spec, "status": "text"})

    assert "1 mapping, 1 broken mapping: old: " in deployed.hook().message


def test_given_upstreams_definition_without_columns_when_the_unit_is_blocked_then_access_ends(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("over", DEV, CANONICAL, expires="1970-01-01T00:00:00Z")
    api.add_mapping("dev", f"{DEV}-2", CANONICAL)
    del api.objects[DEFINITION]["spec"]["versions"][0]["additionalPrinterColumns"]
    deployed.config = {"replicas": 0}

    assert deployed.hook().name == "blocked"
    assert f"{MAPPINGS}/over" not in api.objects
    assert f"{MAPPINGS}/dev" in api.objects


@pytest.mark.parametrize("code", [404, 429])
def test_given_a_new_definition_when_its_storage_is_not_ready_then_the_list_is_asked_for_again(
    deployed: Model, api: FakeCluster, code: int
):
    api.fail(refusal(code, "storage is (re)initializing"), request=f"GET {MAPPINGS}", nth=1)

    assert deployed.hook().message == "2/2 pods, 0 mappings"


@pytest.mark.parametrize("groups", [[None], "view"])
def test_given_a_mapping_without_a_list_of_groups_when_a_hook_runs_then_the_others_go_on(
    deployed: Model, api: FakeCluster, groups: object
):
    api.add_mapping("dev", DEV)
    api.add_mapping("odd", f"{DEV}-2", expires="2020-01-01T00:00:00Z")
    api.add_mapping("over", f"{DEV}-3", expires="1970-01-01T00:00:00Z")
    for name in ("odd", "over"):
        api.objects[f"{MAPPINGS}/{name}"]["spec"]["groups"] = groups

    message = deployed.hook().message

    assert "1 broken mapping: odd: groups is not a list of names" in message
    assert api.objects[f"{MAPPINGS}/dev"]["status"] == {"canonicalARN": CANONICAL}
    assert f"{MAPPINGS}/over" not in api.objects
