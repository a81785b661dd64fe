"""Rights end with what gave them; nobody inherits or forges them, whatever fails meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ops
import pytest
from tests.fakes.declaring import ACCOUNT, HEALTHY, Declare, entry, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster

OTHER = f"{ACCOUNT}:role/Other"
# What its grant is called.
NAME = "other-981f432135"
EDIT, VIEW = {"role": "edit", "namespaces": ["default"]}, {"role": "view"}


@pytest.fixture(autouse=True)
def _roles(api: FakeCluster) -> None:
    for name in ("view", "edit", "admin"):
        api.add_role(name, "get")


def paths(api: FakeCluster) -> list[str]:
    """Where the bindings are that come with mappings."""
    return sorted(
        p
        for p in api.objects
        if p.startswith(RBAC)
        and "bindings/aws-iam-" in p
        and not p.endswith("/aws-iam-authenticator")
    )


def given_to(api: FakeCluster, *groups: str) -> list[str]:
    """The roles that are bound to these groups."""
    return sorted(
        each["roleRef"]["name"]
        for path, each in api.objects.items()
        if path.startswith(RBAC)
        and any(subject["name"] in groups for subject in each.get("subjects") or ())
    )


@pytest.mark.parametrize(
    "by_hand",
    [
        lambda each: each["metadata"].update(ownerReferences=[{"uid": "1"}]),
        lambda each: each["subjects"][0].update(kind="User", name="mallory"),
    ],
    ids=["owner", "user"],
)
def test_given_a_binding_that_somebody_made_anothers_when_its_entry_goes_then_it_goes_too(
    declare: Declare, api: FakeCluster, by_hand: Callable[[Any], None]
):
    ops_entry = entry("ops", f"{ACCOUNT}:role/Ops", access=[VIEW])
    declare(entry("dev", access=[EDIT]), ops_entry)
    (path,) = (each for each in paths(api) if "/namespaces/" in each)
    by_hand(api.objects[path])

    declare(ops_entry)

    assert [api.objects[each]["roleRef"]["name"] for each in paths(api)] == ["view"]


# What somebody who may write mappings or bindings could forge.


# The second is one that a session called aws-iam turns into the first.
@pytest.mark.parametrize("group", ["aws-iam:dev", "{{SessionName}}:dev"])
def test_given_a_mapping_of_others_with_the_group_of_a_declared_one_then_the_status_names_it(
    declare: Declare, deployed: Model, api: FakeCluster, group: str
):
    declare(entry("dev", access=[EDIT]))
    api.add_mapping("mallory", OTHER, OTHER.lower(), groups=[group])

    assert deployed.hook() == ops.ActiveStatus(
        f"{HEALTHY}, 2 mappings, 1 broken mapping: mallory: group '{group}' is for the rights "
        "of mapping 'dev'; remove it"
    )


@pytest.mark.parametrize(
    "annotations", [{}, {"aws-iam/owner": "other of model k8s (0)"}], ids=["none", "another's"]
)
def test_given_a_binding_with_our_label_and_without_our_mark_then_it_stays_as_it_is(
    declare: Declare, deployed: Model, api: FakeCluster, annotations: dict[str, str]
):
    declare(entry("dev", access=[EDIT]))
    api.add_binding("default/forged", "ClusterRole/edit", User="mallory")
    path = f"{RBAC}/namespaces/default/rolebindings/forged"
    api.objects[path]["metadata"] |= {
        "labels": {"aws-iam/source": "option"},
        "annotations": annotations,
    }
    api.forget()

    deployed.hook()

    assert path in api.objects
    assert api.changes == []


def test_given_a_grant_whose_group_somebody_took_out_when_granted_anew_then_its_old_role_is_gone(
    deployed: Model, api: FakeCluster
):
    deployed.action("grant-access", arn=OTHER, username="other", role="edit")
    stored(api, NAME)["spec"]["groups"] = []

    deployed.action("grant-access", arn=OTHER, username="other", role="view")

    assert given_to(api, f"aws-iam:{NAME}") == ["view"]


def test_given_a_mapping_without_our_label_when_its_entry_goes_then_its_rights_go_too(
    declare: Declare, api: FakeCluster
):
    declare(entry("dev", access=[EDIT]))
    stored(api, "dev")["metadata"]["labels"] = {}

    declare()

    assert given_to(api, "aws-iam:dev") == []
