"""The action that deletes every mapping that lets a principal in."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from tests.fakes.acting import ROLE, grant, refused
from tests.fakes.declaring import Declare, entry, names
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import Answer, refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

CANONICAL = "arn:aws:iam::111122223333:role/dev"
OTHER = "arn:aws:iam::111122223333:role/dev-2"
SPELLINGS = {
    "a": CANONICAL,
    "b": "ARN:AWS:IAM::111122223333:ROLE/DEV",
    "c": "arn:aws:sts:eu-west-1:111122223333:assumed-role/Dev/alice",
}


def revoke(model: Model, **params: Any) -> dict[str, Any]:
    return model.action("revoke-access", **params)


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
    # The memory of the API server may be old.
    api.memory = {}
    results = revoke(mapped, arn=ROLE.replace("Dev", "team/Dev"))

    assert names(api) == ["other"]
    assert results["result"] == "revoked"
    assert results["mappings"].splitlines() == [
        f"a: {SPELLINGS['a']} as a",
        f"b: {SPELLINGS['b']} as b",
        f"c: {SPELLINGS['c']} as c",
    ]
    assert results["effective"].startswith("now; ")


def test_given_a_grant_with_a_role_when_it_is_revoked_then_its_binding_goes_too(
    mapped: Model, api: FakeCluster
):
    granted = grant(mapped, arn=OTHER + "-3", role="view")
    begin = f"/aws-iam-{granted['mapping']}-"[:30]
    assert [path for path in api.objects if begin in path]

    revoke(mapped, arn=granted["arn"])

    assert not [path for path in api.objects if begin in path]


def test_given_nothing_that_lets_it_in_when_it_is_revoked_then_the_action_succeeds_and_says_so(
    mapped: Model, api: FakeCluster
):
    assert revoke(mapped, arn=f"{OTHER}-3") == {"result": "nothing to revoke: no such mapping"}
    assert api.changes == []


@pytest.mark.parametrize("fault", [[], [entry("ops", OTHER, oops="x")]], ids=["good", "fault"])
def test_given_what_the_option_declares_when_it_is_revoked_then_nothing_is_deleted(
    declare: Declare, deployed: Model, api: FakeCluster, fault: list[dict[str, Any]]
):
    declare(entry("dev"))
    declare(entry("dev"), *fault)
    api.forget()

    assert refused(revoke, deployed, arn=ROLE) == (
        f"the option mappings declares {ROLE} (mappings[0]): change its entry there, "
        "then run: juju config aws-iam mappings=@<file>"
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
    assert refused(revoke, mapped, arn="dev").startswith("'dev' is not an ARN such as")
    assert api.requests == []


# What stays.

DENIED = 'admission webhook "keep" denied the request: no'
TIMEOUT = "waiting for the Kubernetes API: it does not answer in time"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (refusal(403, DENIED), f"403 {DENIED}"),
        (unreachable(httpx2.ReadTimeout), TIMEOUT),
    ],
)
def test_given_a_mapping_that_stays_when_it_is_revoked_then_it_is_named_and_others_go(
    mapped: Model, api: FakeCluster, answer: Answer, why: str
):
    api.fail(answer, request=f"DELETE {MAPPINGS}/a")

    said = refused(revoke, mapped, arn=ROLE)

    assert said == f"mapping a is not as it should be, run this again: {why}"
    assert names(api) == ["a", "other"]


def test_given_several_that_stay_when_revoked_then_three_are_named_and_the_rest_counted(
    mapped: Model, api: FakeCluster
):
    denied = 'admission webhook "validate.kyverno.svc-fail" denied the request: '
    reason = f"{denied}resource was blocked due to the following policies: mappings: no-delete"
    stay = [f"a{number}" for number in range(4)]
    for name in stay:
        api.add_mapping(name, ROLE, CANONICAL)
        api.fail(refusal(403, reason), request=f"DELETE {MAPPINGS}/{name}")

    said = refused(revoke, mapped, arn=ROLE)

    assert [name for name in stay if f"mapping {name} is not" in said] == stay[:3]
    assert said.endswith("and 1 more")
    assert names(api) == [*stay, "other"]


def test_given_a_status_that_admits_another_when_revoked_then_it_is_made_right_or_named(
    deployed: Model, api: FakeCluster
):
    path = f"{MAPPINGS}/other"
    api.add_mapping("other", OTHER, CANONICAL)
    api.fail(refusal(500, "boom"), request=f"PATCH {path}/status", nth=1)

    assert refused(revoke, deployed, arn=ROLE) == (
        "mapping other is not as it should be, run this again: 500 boom"
    )
    assert revoke(deployed, arn=ROLE)["result"].startswith("nothing to revoke")
    assert api.objects[path]["status"] == {"canonicalARN": OTHER}
