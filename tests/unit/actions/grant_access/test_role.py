"""The role that comes with a grant, and goes with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.acting import GRANT, grant, refused
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import items

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


def groups(api: FakeCluster) -> list[str]:
    return api.objects[f"{MAPPINGS}/{GRANT}"]["spec"]["groups"]


def test_given_a_role_when_access_is_granted_then_exactly_this_mapping_has_it(
    deployed: Model, api: FakeCluster
):
    results = grant(deployed, groups="devs", role="edit", namespaces="team, default", for_="2h")

    assert results["role"] == "ClusterRole edit in team, default"
    assert results["groups"] == "devs"
    assert set(results["roles"].split(", ")) == {
        "ClusterRole/edit in default (own)",
        "ClusterRole/edit in team (own)",
    }
    assert groups(api) == ["devs", GROUP]
    assert bound(api) == [("default", "edit"), ("team", "edit")]


def test_given_a_server_whose_memory_is_old_when_a_role_is_granted_then_the_result_has_it(
    deployed: Model, api: FakeCluster
):
    api.memory = {**api.objects}

    assert grant(deployed, role="view")["roles"] == "ClusterRole/view (own)"


def test_given_no_role_when_the_grant_is_repeated_then_its_role_goes(
    deployed: Model, api: FakeCluster
):
    grant(deployed, role="view", groups="devs")
    grant(deployed, for_="1h")

    assert (bound(api), groups(api)) == ([], [])


def test_given_another_role_when_the_grant_is_repeated_then_the_former_goes_first(
    deployed: Model, api: FakeCluster
):
    grant(deployed, role="view")
    api.forget()

    assert grant(deployed, role="edit", namespaces="team")["result"] == "changed"

    assert bound(api) == [("team", "edit")]
    first, second = [each for each in api.requests if RBAC in each and "GET" not in each]
    assert first.startswith(f"DELETE {RBAC}/clusterrolebindings/aws-iam-dev-")
    assert second == f"POST {RBAC}/namespaces/team/rolebindings"


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"role": "edit", "namespaces": "team,*"}, "'*' is not a namespace's name"),
        ({"groups": "view,aws-iam:dev"}, "group 'aws-iam:dev' is reserved"),
    ],
)
def test_given_a_wrong_role_when_granted_then_the_action_fails_and_changes_nothing(
    deployed: Model, api: FakeCluster, params: dict[str, str], reason: str
):
    assert reason in refused(grant, deployed, **params)
    assert api.changes == []


def test_given_an_administrator_who_may_not_give_the_role_when_granted_then_the_action_says_so(
    deployed: Model, api: FakeCluster
):
    reason = 'user "admin" is attempting to grant RBAC permissions not currently held'
    forbidden = refusal(403, f'clusterrolebindings "x" is forbidden: {reason}')
    api.fail(forbidden, request=f"POST {RBAC}/clusterrolebindings")

    said = refused(grant, deployed, role="view")

    assert f"mapping {GRANT} has not all of its role: the cluster refuses it: " in said
    assert "is attempting to grant RBAC permissions" in said


# Only the binding says which role a grant gave.

GONE = f"1 broken mapping: {GRANT}: no binding is left of its role; grant access again"


def delete_binding(api: FakeCluster, path: str) -> None:
    api.delete(path)


def add_subject(api: FakeCluster, path: str) -> None:
    api.objects[path]["subjects"].append({"kind": "User", "name": "mallory", "apiGroup": ""})


@pytest.mark.parametrize("by_a_person", [delete_binding, add_subject])
@pytest.mark.parametrize("again", [{"role": "edit"}, {}], ids=["with its role", "without"])
def test_given_a_binding_that_a_person_deletes_or_changes_then_the_status_names_the_grant(
    deployed: Model,
    api: FakeCluster,
    by_a_person: Callable[[FakeCluster, str], None],
    again: dict[str, Any],
):
    grant(deployed, role="edit")
    assert deployed.hook().message.endswith(" 1 mapping")
    (path,) = (each for each in api.objects if each.startswith(f"{BINDINGS}/aws-iam-dev"))

    by_a_person(api, path)

    assert deployed.hook().message.endswith(f" 1 mapping, {GONE}")
    assert f"1 broken mapping: {GRANT}: {items(deployed)[0]['problem']}" == GONE
    grant(deployed, **again)
    assert deployed.hook().message.endswith(" 1 mapping")
    assert bound(api) == [("", role) for role in again.values()]
