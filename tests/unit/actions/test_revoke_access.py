"""The action that deletes every mapping that lets a principal in."""

from __future__ import annotations

from typing import Any

import httpx2
import ops.testing
import pytest
from tests.fakes.acting import ROLE, grant, lists_stored, refused
from tests.fakes.declaring import Declare, entry, names
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

CANONICAL = "arn:aws:iam::111122223333:role/dev"
OTHER = "arn:aws:iam::111122223333:role/dev-2"
SPELLINGS = {
    "a": CANONICAL,
    "b": "ARN:AWS:IAM::111122223333:ROLE/DEV",
    "c": "arn:aws:sts:eu-west-1:111122223333:assumed-role/Dev/alice",
}


def revoke(model: Model, unit: int = 0, **params: Any) -> dict[str, Any]:
    named = {key.replace("_", "-"): value for key, value in params.items()}
    return model.action("revoke-access", unit, **named)


@pytest.fixture
def mapped(deployed: Model, api: FakeCluster) -> Model:
    """Three mappings of one principal, however they spell it, and one of another."""
    for name, arn in SPELLINGS.items():
        api.add_mapping(name, arn, CANONICAL, source="grant" if name == "b" else "")
    api.add_mapping("other", OTHER, OTHER)
    return deployed


def test_given_a_principal_when_it_is_revoked_then_every_mapping_of_it_goes_and_no_other(
    mapped: Model, api: FakeCluster
):
    results = revoke(mapped, arn=ROLE.replace("Dev", "team/Dev"))

    assert names(api) == ["other"]
    assert results["result"] == "revoked"
    assert results["mappings"].splitlines() == [
        f"a: {SPELLINGS['a']} as a (a person's)",
        f"b: {SPELLINGS['b']} as b (a grant)",
        f"c: {SPELLINGS['c']} as c (a person's)",
    ]
    assert results["effective"].startswith("now; ")


def test_given_mappings_that_were_just_made_when_revoked_then_the_action_sees_them(
    mapped: Model, api: FakeCluster
):
    api.forget()
    revoke(mapped, arn=ROLE)
    assert lists_stored(api)


def test_given_so_many_mappings_that_nobody_can_list_them_when_one_is_revoked_by_name_then_it_goes(
    mapped: Model, api: FakeCluster
):
    api.fail(unreachable(httpx2.ReadTimeout), request=f"GET {MAPPINGS}")
    assert refused(revoke, mapped, arn=ROLE)

    revoked = revoke(mapped, name="b")

    assert revoked["mappings"] == f"b: {SPELLINGS['b']} as b (a grant)"
    assert names(api) == ["a", "c", "other"]


@pytest.mark.parametrize("by", ["arn", "mapping"])
def test_given_a_grant_with_a_role_when_it_is_revoked_then_its_binding_goes_too(
    mapped: Model, api: FakeCluster, by: str
):
    api.add_role("view", "get")
    granted = grant(mapped, arn=OTHER + "-3", role="view")
    begin = f"/aws-iam-{granted['mapping']}-"[:30]
    assert [path for path in api.objects if begin in path]

    revoke(mapped, **{"name" if by == "mapping" else by: granted[by]})

    assert not [path for path in api.objects if begin in path]


@pytest.mark.parametrize(
    "stored",
    [
        {"spec": {"arn": 5, "username": None, "groups": "view"}, "status": "x"},
        {"spec": {"arn": ROLE, "groups": [None]}},
        {"spec": None, "status": {"canonicalARN": 7}},
        {},
    ],
)
def test_given_a_mapping_from_before_there_was_a_schema_when_its_name_is_revoked_then_it_goes(
    mapped: Model, api: FakeCluster, stored: dict[str, Any]
):
    api.put(f"{MAPPINGS}/old", stored)

    assert revoke(mapped, name="old")["result"] == "revoked"
    assert "old" not in names(api)


@pytest.mark.parametrize("params", [{"arn": OTHER + "-3"}, {"name": "nobody"}])
def test_given_nothing_that_lets_it_in_when_it_is_revoked_then_the_action_succeeds_and_says_so(
    mapped: Model, api: FakeCluster, params: dict[str, Any]
):
    assert revoke(mapped, **params) == {"result": "nothing to revoke: no such mapping"}
    assert api.changes == []


@pytest.mark.parametrize("params", [{"arn": ROLE}, {"name": "declared"}])
def test_given_what_the_option_declares_when_it_is_revoked_then_nothing_is_deleted(
    mapped: Model, api: FakeCluster, params: dict[str, Any]
):
    api.add_mapping("declared", ROLE, CANONICAL, source="option")
    mapped.config = {"mappings": f"- {{name: declared, arn: {ROLE}}}"}

    said = refused(revoke, mapped, **params)

    assert said.startswith("the option mappings declares ")
    assert said.endswith(
        " (mappings[0]): change its entry there, then run: juju config aws-iam mappings=@<file>"
    )
    assert api.changes == []


def test_given_a_mapping_of_many_lines_when_it_is_revoked_then_it_forges_no_line(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("a", ROLE, CANONICAL)
    api.objects[f"{MAPPINGS}/a"]["spec"]["username"] = "a\nb: forged\0" + "x" * 200_000

    lines = revoke(deployed, arn=ROLE)["mappings"]

    assert len(lines.splitlines()) == 1
    assert len(lines) <= 100_000


def test_given_a_parameter_that_is_wrong_when_access_is_revoked_then_it_is_named(
    mapped: Model, api: FakeCluster
):
    assert refused(revoke, mapped) == "give either arn or name"
    assert api.requests == []


def test_given_a_policy_that_keeps_a_mapping_when_it_is_revoked_then_it_is_named_and_others_go(
    mapped: Model, api: FakeCluster
):
    reason = 'admission webhook "keep" denied the request: no'
    api.fail(refusal(403, reason), request=f"DELETE {MAPPINGS}/a")

    said = refused(revoke, mapped, arn=ROLE)

    assert said == f"the cluster refuses to delete mapping a: {reason}"
    assert names(api) == ["a", "other"]


def test_given_several_that_stay_when_revoked_then_three_are_named_and_the_rest_counted(
    mapped: Model, api: FakeCluster
):
    stay = [f"a{number}" for number in range(4)]
    for name in stay:
        api.add_mapping(name, ROLE, CANONICAL)
        api.fail(refusal(403, "denied the request"), request=f"DELETE {MAPPINGS}/{name}")

    said = refused(revoke, mapped, arn=ROLE)

    shown = [f"the cluster refuses to delete mapping {name}: denied the request" for name in stay]
    assert said == "; ".join([*shown[:3], "and 1 more"])
    assert names(api) == [*stay, "other"]


def test_given_long_reasons_for_what_stays_when_revoked_then_each_mapping_is_named(
    mapped: Model, api: FakeCluster
):
    denied = 'admission webhook "validate.kyverno.svc-fail" denied the request: '
    reason = f"{denied}resource was blocked due to the following policies: mappings: no-delete"
    for name in SPELLINGS:
        api.fail(refusal(403, reason), request=f"DELETE {MAPPINGS}/{name}")

    said = refused(revoke, mapped, arn=ROLE)

    assert [name for name in SPELLINGS if f"delete mapping {name}: " in said] == [*SPELLINGS]


def test_given_mappings_that_others_keep_changing_when_revoked_then_the_action_says_so(
    mapped: Model, api: FakeCluster
):
    api.fail(refusal(409, "modified"), request=f"DELETE {MAPPINGS}/b")

    assert refused(revoke, mapped, arn=ROLE) == (
        "mapping b may still be there, run this again: others change it, or no time was left"
    )


def test_given_a_status_that_admits_another_when_others_delete_its_mapping_then_that_is_revoked(
    deployed: Model, api: FakeCluster
):
    path = f"{MAPPINGS}/other"
    api.add_mapping("other", OTHER, CANONICAL)
    api.meanwhile(lambda: api.delete(path), request=f"PATCH {path}/status")

    assert deployed.action("revoke-access", arn=ROLE)["result"] == "revoked"


def test_given_a_faulty_entry_when_its_principal_is_revoked_then_the_entry_is_named(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev"))
    declare(entry("dev", oops="x"))

    with pytest.raises(ops.testing.ActionFailed, match="option mappings declares"):
        deployed.action("revoke-access", arn=ROLE)


def test_given_a_status_that_cannot_be_emptied_when_revoked_then_that_is_said_and_no_more(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("theirs", OTHER, CANONICAL)
    api.fail(refusal(500, "boom"), request=f"PATCH {MAPPINGS}/theirs/status")

    said = refused(deployed.action, "revoke-access", arn=CANONICAL)

    assert said.startswith("the status of mapping theirs still lets it in: ")


def test_given_a_status_that_others_write_again_when_revoked_then_the_remedy_is_said(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("theirs", OTHER, CANONICAL)
    api.fail(refusal(409, "modified"), request=f"PATCH {MAPPINGS}/theirs/status")

    assert refused(deployed.action, "revoke-access", arn=CANONICAL) == (
        "the status of mapping theirs still lets it in: "
        "others change it, or no time was left; run this again"
    )
