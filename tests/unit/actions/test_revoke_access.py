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
from tests.fakes.kubernetes.rbac import RBAC
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


@pytest.mark.parametrize("params", [{"arn": ROLE}, {"name": "b"}])
def test_given_mappings_that_were_just_made_when_revoked_then_the_action_sees_them(
    mapped: Model, api: FakeCluster, params: dict[str, Any]
):
    api.forget()
    revoke(mapped, **params)
    assert lists_stored(api)


def test_given_so_many_mappings_that_nobody_can_list_them_when_one_is_revoked_by_name_then_it_goes(
    mapped: Model, api: FakeCluster
):
    api.fail(unreachable(httpx2.ReadTimeout), request=f"GET {MAPPINGS}")
    assert refused(revoke, mapped, arn=ROLE)

    revoked = revoke(mapped, name="b")

    assert revoked["mappings"] == f"b: {SPELLINGS['b']} as b (a grant)"
    assert revoked["warning"] == (
        "cannot tell who can administer the cluster: "
        "waiting for the Kubernetes API: it does not answer in time"
    )
    assert names(api) == ["a", "c", "other"]


@pytest.mark.parametrize("params", [{"arn": OTHER + "-3"}, {"name": "o"}])
def test_given_a_grant_with_a_role_when_it_is_revoked_then_its_binding_goes_too(
    mapped: Model, api: FakeCluster, params: dict[str, Any]
):
    api.add_role("view", "get")
    grant(mapped, arn=OTHER + "-3", name="o", role="view")
    assert [path for path in api.objects if "/aws-iam-o-" in path]

    revoke(mapped, **params)

    assert not [path for path in api.objects if "/aws-iam-o-" in path]


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


def test_given_a_dry_run_when_access_is_revoked_then_the_same_is_shown_and_nothing_changes(
    mapped: Model, api: FakeCluster
):
    would = revoke(mapped, arn=ROLE, dry_run=True)
    assert api.changes == []

    assert would.keys() == {"result", "mappings"}
    revoked = revoke(mapped, arn=ROLE)
    assert revoked.pop("effective").startswith("now; ")
    assert revoked == {**would, "result": "revoked"}
    assert would["result"] == "would revoke"


@pytest.mark.parametrize("params", [{"arn": OTHER + "-3"}, {"name": "nobody"}])
def test_given_nothing_that_lets_it_in_when_it_is_revoked_then_the_action_succeeds_and_says_so(
    mapped: Model, api: FakeCluster, params: dict[str, Any]
):
    assert revoke(mapped, **params) == {"result": "nothing to revoke: no such mapping"}
    assert api.changes == []


@pytest.mark.parametrize("params", [{"arn": ROLE, "dry_run": True}, {"name": "declared"}])
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


def test_given_a_mapping_that_somebody_creates_meanwhile_when_it_is_revoked_then_that_goes_too(
    mapped: Model, api: FakeCluster
):
    api.meanwhile(lambda: api.add_mapping("late", ROLE), request=f"DELETE {MAPPINGS}/c")

    revoked = revoke(mapped, arn=ROLE)["mappings"].splitlines()

    assert [line.partition(":")[0] for line in revoked] == ["a", "b", "c", "late"]
    assert names(api) == ["other"]


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
        "not all of these mappings are gone for certain, run this again: "
        "others keep creating or changing mappings of this principal"
    )


# Whoever takes away the last way to administer the cluster hears of it, and does it.


@pytest.mark.parametrize("dry_run", [False, True])
def test_given_the_last_administrator_when_it_is_revoked_then_a_warning_says_so(
    deployed: Model, api: FakeCluster, dry_run: bool
):
    api.add_mapping("root", ROLE, CANONICAL, groups=["system:masters"])

    assert revoke(deployed, arn=ROLE, dry_run=dry_run)["warning"] == (
        f"takes away the last mapping that can certainly administer the cluster: root ({ROLE}); "
        "the control plane's kubeconfig /home/ubuntu/config still can"
    )


@pytest.mark.parametrize(("second", "warns"), [("system:masters", True), ("view", False)])
def test_given_two_mappings_of_the_last_administrator_when_revoked_then_a_warning_if_it_is_sure(
    deployed: Model, api: FakeCluster, second: str, warns: bool
):
    api.add_mapping("one", ROLE, CANONICAL, groups=["system:masters"])
    api.add_mapping("two", ROLE, CANONICAL, groups=[second])

    assert ("warning" in revoke(deployed, arn=ROLE)) is warns


def test_given_a_mapping_beside_that_is_no_administrators_when_one_is_revoked_then_no_warning(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("one", ROLE, CANONICAL, groups=["system:masters"])
    api.add_mapping("two", ROLE, CANONICAL, groups=["view"])

    assert "warning" not in revoke(deployed, name="one")


@pytest.mark.parametrize("other", ["system:masters", "view"])
def test_given_another_administrator_or_none_when_access_is_revoked_then_there_is_no_warning(
    deployed: Model, api: FakeCluster, other: str
):
    api.add_mapping("dev", ROLE, CANONICAL, groups=[other])
    api.add_mapping("other", OTHER, OTHER, groups=[other])

    assert "warning" not in revoke(deployed, arn=ROLE)


def test_given_roles_that_cannot_be_read_when_an_administrator_is_revoked_then_it_goes_anyway(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("root", ROLE, CANONICAL, groups=["system:masters"])
    api.fail(refusal(403, "forbidden"), request=f"GET {RBAC}/clusterroles")

    results = revoke(deployed, arn=ROLE)

    assert names(api) == []
    assert results["warning"].startswith("cannot tell who can administer the cluster: ")


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


def test_given_a_status_that_stays_when_revoked_then_a_warning_says_who_has_gone(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("root", ROLE, CANONICAL, groups=["system:masters"])
    api.add_mapping("theirs", OTHER, CANONICAL)
    api.fail(refusal(500, "boom"), request=f"PATCH {MAPPINGS}/theirs/status")

    with pytest.raises(ops.testing.ActionFailed, match="still lets it in"):
        deployed.action("revoke-access", arn=CANONICAL)

    assert "last" in (deployed.units[0].context.action_results or {})["warning"]
