"""The action that lets a principal in, for a while or until it is revoked."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.fakes.acting import GRANT, ROLE, grant, refused
from tests.fakes.alarms import after, rings
from tests.fakes.declaring import DEV, Declare, entry
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import Answer, ok, refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC, REVIEWS
from tests.fakes.kubernetes.server import FakeCluster

CANONICAL = "arn:aws:iam::111122223333:role/dev"
PATH = f"{MAPPINGS}/{GRANT}"
GROUP = f"aws-iam:{GRANT}"
BINDINGS = f"{RBAC}/clusterrolebindings"


@pytest.fixture(autouse=True)
def _roles(api: FakeCluster) -> None:
    """The roles that every cluster has, and a namespace of a team."""
    for name in ("view", "edit"):
        api.add_role(name, "get")
    api.namespaces.add("team")


def bound(api: FakeCluster) -> list[tuple[str, str]]:
    """The namespace and the role of each binding to the group of the grant's own."""
    return sorted(
        (each["metadata"].get("namespace", ""), each["roleRef"]["name"])
        for path, each in api.objects.items()
        if path.startswith(RBAC)
        and [subject["name"] for subject in each.get("subjects") or ()] == [GROUP]
    )


def test_given_a_name_longer_than_an_argument_when_granted_then_linux_takes_the_results(
    deployed: Model,
):
    results = grant(deployed, username="[" * 200_000)

    subprocess.run(["true", *(f"{key}={value}" for key, value in results.items())], check=True)
    assert results["result"] == "granted"
    assert results["username"].endswith("[…")


def test_given_a_principal_when_it_is_granted_access_then_its_mapping_works_at_once(
    deployed: Model, api: FakeCluster
):
    pathed = ROLE.replace("Dev", "team/Dev")
    results = grant(deployed, arn=pathed, groups="view, dev", for_="2h", reason="incident 42")

    end = after(api, 7200)
    assert results == {
        "result": "granted",
        "mapping": GRANT,
        "arn": ROLE,
        "username": "alice",
        "groups": "view, dev",
        "ends": end,
        "effective": "now",
        "roles": (
            "no binding names this user or its groups\nrun: kubectl create "
            "clusterrolebinding NAME --clusterrole=view --user=alice"
        ),
        "remark": f"no login has a role path, so it is for {ROLE}",
    }
    stored = api.objects[PATH]
    assert stored["spec"] == {"arn": ROLE, "username": "alice", "groups": ["view", "dev"]}
    assert stored["status"] == {"canonicalARN": CANONICAL}
    assert stored["metadata"]["labels"] == {"aws-iam/source": "grant"}
    assert stored["metadata"]["annotations"] == {
        "aws-iam/expires": end,
        "aws-iam/reason": "incident 42",
    }
    lines = [line for line in deployed.log().splitlines() if GRANT in line]
    assert lines == [f"grant-access (incident 42): write mapping {GRANT} of {ROLE}"]


def test_given_a_grant_when_it_is_repeated_then_it_is_what_the_last_one_says(
    deployed: Model, api: FakeCluster
):
    first = grant(deployed, groups="view", for_="1h", reason="incident 42", role="view")
    api.clock.now += 1800

    spelt = ROLE.upper().replace("ARN:AWS:IAM", "arn:aws:iam")
    again = grant(deployed, arn=spelt, username="bob")

    assert (again["result"], again["mapping"]) == ("changed", first["mapping"])
    assert again["effective"] == "now; cached tokens keep the old user for up to 1 minute"
    assert again["ends"] == "never: for was not given"
    assert again["previous-end"] == first["ends"]
    stored = api.objects[PATH]
    # No mapping's ARN can be changed.
    assert stored["spec"] == {"arn": ROLE, "username": "bob", "groups": []}
    assert stored["metadata"]["annotations"] == {}
    assert bound(api) == []


def test_given_two_grants_when_the_first_ends_then_the_unit_rings_for_each_and_looks_again(
    deployed: Model, api: FakeCluster
):
    grant(deployed, for_="1m")
    grant(deployed, for_="1h", arn=f"{ROLE}-2")
    assert rings(deployed, api) == [pytest.approx(60, abs=1)]

    # A unit that waits looks again anyway, and a blocked one does not.
    deployed.config = {"replicas": 0}
    api.clock.now += 61
    api.fail(unreachable(httpx2.ConnectError))
    deployed.expire("alarm")
    assert rings(deployed, api) == [pytest.approx(10, abs=1)]

    api.recover()
    deployed.expire("alarm")
    assert rings(deployed, api) == [pytest.approx(3539, abs=1)]


# What is refused.


@pytest.mark.parametrize("option", [[entry("dev")], [entry("dev"), entry("ops", oops=1)]])
def test_given_a_principal_that_the_option_declares_when_access_is_granted_then_it_is_refused(
    declare: Declare, deployed: Model, api: FakeCluster, option: list[dict[str, Any]]
):
    declare(option[0])
    declare(*option)
    api.forget()

    assert refused(grant, deployed) == (
        f"the option mappings declares {DEV} (mappings[0]): change its entry there, then run: "
        "juju config aws-iam mappings=@<file>"
    )
    assert api.changes == []


def test_given_a_unit_that_does_not_lead_when_access_is_granted_or_revoked_then_nothing_is_done(
    two: Model, api: FakeCluster
):
    api.forget()

    for run in (grant, lambda model, unit: model.action("revoke-access", unit, arn=ROLE)):
        assert refused(run, two, unit=1) == (
            "only the leader changes access: run this on aws-iam/leader"
        )
    assert api.requests == []


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"role": "edit", "namespaces": "team,*"}, "'*' is not a namespace's name"),
        ({"groups": "view,aws-iam:dev"}, "group 'aws-iam:dev' is reserved"),
    ],
)
def test_given_a_wrong_parameter_when_granted_then_the_action_fails_and_changes_nothing(
    deployed: Model, api: FakeCluster, params: dict[str, str], reason: str
):
    assert reason in refused(grant, deployed, **params)
    assert api.changes == []


ATTEMPT = 'user "admin" is attempting to grant RBAC permissions not currently held'


@pytest.mark.parametrize(
    ("answer", "request_", "said"),
    [
        (refusal(403, "denied the request"), f"PATCH {PATH}", f"mapping {GRANT} is"),
        (unreachable(httpx2.ReadTimeout), f"PATCH {PATH}", "the Kubernetes API: it does not"),
        (refusal(403, ATTEMPT), f"POST {BINDINGS}", ATTEMPT),
    ],
)
def test_given_a_server_that_refuses_a_part_when_granted_then_the_action_says_which_and_why(
    deployed: Model, api: FakeCluster, answer: Answer, request_: str, said: str
):
    grant(deployed)
    api.fail(answer, request=request_)

    failure = refused(grant, deployed, groups="devs", role="view")

    assert said in failure
    assert "is not as it should be, run this again: " in failure
    assert "others" not in failure


# The role that comes with it.


def test_given_a_role_when_access_is_granted_then_exactly_this_mapping_has_it(
    deployed: Model, api: FakeCluster
):
    grant(deployed, role="view")
    results = grant(deployed, groups="devs", role="edit", namespaces="team, default", for_="2h")

    assert results["role"] == "ClusterRole edit in team, default"
    assert results["groups"] == "devs"
    assert set(results["roles"].split(", ")) == {
        "ClusterRole/edit in default",
        "ClusterRole/edit in team",
    }
    assert api.objects[PATH]["spec"]["groups"] == ["devs", GROUP]
    assert bound(api) == [("default", "edit"), ("team", "edit")]


def test_given_a_server_whose_memory_is_old_when_access_is_granted_then_nothing_is_missed(
    deployed: Model, api: FakeCluster
):
    api.memory = {**api.objects}

    assert grant(deployed, role="view")["roles"] == "ClusterRole/view"
    assert grant(deployed, role="view")["result"] == "changed"


def delete_binding(api: FakeCluster, path: str) -> None:
    api.delete(path)


def add_subject(api: FakeCluster, path: str) -> None:
    api.objects[path]["subjects"].append({"kind": "User", "name": "mallory", "apiGroup": ""})


# Only the binding says which role a grant gave.
@pytest.mark.parametrize("by_a_person", [delete_binding, add_subject])
def test_given_a_binding_that_a_person_deletes_or_changes_then_the_next_grant_brings_it(
    deployed: Model, api: FakeCluster, by_a_person: Callable[[FakeCluster, str], None]
):
    grant(deployed, role="edit")
    (path,) = (each for each in api.objects if each.startswith(f"{BINDINGS}/aws-iam-dev"))

    by_a_person(api, path)

    assert deployed.hook().message.endswith(" 1 mapping")
    assert bound(api) == []
    grant(deployed, role="edit")
    assert deployed.hook().message.endswith(" 1 mapping")
    assert bound(api) == [("", "edit")]


# What the result says of RBAC.


def test_given_bindings_when_access_is_granted_then_the_result_says_what_they_give(
    deployed: Model, api: FakeCluster
):
    api.add_binding("view", "ClusterRole/view", Group="dev")

    assert grant(deployed, groups="dev")["roles"] == "ClusterRole/view"
    assert grant(deployed, groups="system:masters")["roles"] == "everything (system:masters)"

    api.fail(lambda _: ok({"spec": {}, "status": {"allowed": True}}), request=f"POST {REVIEWS}")
    assert grant(deployed)["warning"].startswith("everybody who logs in may do everything")


def test_given_bindings_that_cannot_be_read_when_access_is_granted_then_it_is_granted_anyway(
    deployed: Model, api: FakeCluster
):
    api.fail(refusal(500, "no"), request=f"GET {RBAC}/clusterroles")

    results = grant(deployed)

    assert results["result"] == "granted"
    assert results["roles"] == "unknown: waiting for the Kubernetes API: 500 'no'"
    assert PATH in api.objects
