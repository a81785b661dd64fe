"""Whoever writes mappings or bindings gains no rights of others' mappings, and takes none away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ops
import pytest
from tests.fakes.declaring import ACCOUNT, DEV, HEALTHY, Declare, entry, stored
from tests.fakes.juju.model import OWNER, Model
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster

from cluster import state

OTHER = f"{ACCOUNT}:role/Other"
EDIT = {"role": "edit", "namespaces": ["default"]}
BINDINGS = f"{RBAC}/namespaces/default/rolebindings"


@pytest.fixture(autouse=True)
def _edit(api: FakeCluster) -> None:
    api.add_role("edit", "get")


def of(api: FakeCluster, group: str) -> list[str]:
    """The paths of the bindings to a group."""
    return [
        path
        for path, each in api.objects.items()
        if {"kind": "Group", "name": group, "apiGroup": "rbac.authorization.k8s.io"}
        in (each.get("subjects") or ())
    ]


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


@pytest.mark.parametrize("source", ["", "option", "grant"])
def test_given_a_mapping_of_others_with_a_group_of_its_own_then_nothing_is_bound_to_it(
    declare: Declare, deployed: Model, api: FakeCluster, source: str
):
    declare(entry("dev", access=[EDIT]))
    api.add_mapping("mallory", OTHER, OTHER.lower(), groups=["aws-iam:mallory"], source=source)
    metadata = stored(api, "mallory")["metadata"]
    metadata["annotations"] = {"aws-iam/owner": OWNER.mark, "aws-iam/access": "cluster-admin"}

    deployed.hook()

    assert of(api, "aws-iam:mallory") == []


def test_given_a_declared_mapping_that_somebody_makes_anew_then_the_declared_one_takes_its_place(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev", access=[EDIT]))
    api.delete(f"{MAPPINGS}/dev")
    api.add_mapping("dev", OTHER, OTHER.lower(), groups=["aws-iam:dev"])

    assert deployed.hook() == ops.ActiveStatus(f"{HEALTHY}, 1 mapping")

    assert stored(api, "dev")["spec"]["arn"] == DEV
    assert f"mapping dev of {OTHER} gave way to the one" in deployed.log()


def forged(api: FakeCluster, name: str = "forged", **metadata: Any) -> str:
    """Bind mallory to a role as somebody who may make bindings."""
    api.add_binding(f"default/{name}", "ClusterRole/edit", User="mallory")
    api.objects[f"{BINDINGS}/{name}"]["metadata"] |= metadata
    return f"{BINDINGS}/{name}"


def test_given_a_binding_with_our_label_and_mark_that_nothing_declares_then_it_is_deleted(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev", access=[EDIT]))
    path = forged(
        api,
        labels={"aws-iam/source": "option"},
        annotations={"aws-iam/owner": OWNER.mark},
    )

    deployed.hook()

    assert path not in api.objects


@pytest.mark.parametrize(
    "annotations", [{}, {"aws-iam/owner": "other of model k8s (0)"}], ids=["none", "another's"]
)
def test_given_a_binding_with_our_label_and_without_our_mark_then_it_stays_as_it_is(
    declare: Declare, deployed: Model, api: FakeCluster, annotations: dict[str, str]
):
    declare(entry("dev", access=[EDIT]))
    path = forged(api, labels={"aws-iam/source": "option"}, annotations=annotations)
    api.forget()

    deployed.hook()

    assert path in api.objects
    assert api.changes == []


def test_given_a_binding_of_others_with_the_name_of_ours_when_declared_then_ours_replaces_it(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev", access=[EDIT]))
    (ours,) = of(api, "aws-iam:dev")
    api.delete(ours)
    path = forged(api, ours.rpartition("/")[2])
    assert path == ours

    deployed.hook()

    assert of(api, "aws-iam:dev") == [ours]
    assert api.objects[ours]["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "aws-iam:dev"}
    ]


def test_given_somebody_who_takes_the_group_out_of_a_mapping_when_a_hook_runs_then_it_is_back(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev", groups=["devs"], access=[EDIT]))
    stored(api, "dev")["spec"]["groups"] = ["devs"]

    deployed.hook()

    assert stored(api, "dev")["spec"]["groups"] == ["devs", "aws-iam:dev"]


def test_given_a_namespace_that_goes_as_bindings_are_made_then_the_unit_is_not_in_error(
    declare: Declare, deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(state, "namespaces", lambda _: {"gone"})

    status = declare(entry("dev", access=[{**EDIT, "namespaces": ["gone"]}]))

    assert status == ops.ActiveStatus(
        f"{HEALTHY}, 1 mapping, 1 of the role bindings not created yet"
    )


def test_given_an_entry_that_takes_a_grants_mapping_over_then_only_its_own_rights_are_left(
    declare: Declare, deployed: Model, api: FakeCluster
):
    api.add_role("view", "get")
    deployed.action("grant-access", arn=OTHER, username="other", role="view", name="other")
    assert len(of(api, "aws-iam:other")) == 1

    declare(entry("other", OTHER, access=[EDIT]))

    (path,) = of(api, "aws-iam:other")
    assert api.objects[path]["roleRef"]["name"] == "edit"


def test_given_an_entry_with_the_name_of_a_grant_of_another_then_it_gets_no_role_of_the_grant(
    declare: Declare, deployed: Model, api: FakeCluster
):
    api.add_role("view", "get")
    deployed.action("grant-access", arn=OTHER, username="other", role="view", name="dev")
    assert len(of(api, "aws-iam:dev")) == 1

    declare(entry("dev", access=[EDIT]))

    (path,) = of(api, "aws-iam:dev")
    assert api.objects[path]["roleRef"]["name"] == "edit"


def held(api: FakeCluster) -> str:
    """Let somebody who may write bindings keep dev's in its namespace by a finalizer."""
    (path,) = (each for each in of(api, "aws-iam:dev") if each.startswith(BINDINGS))
    api.objects[path]["metadata"]["finalizers"] = ["example.com/keep"]
    return path


def test_given_a_finalizer_on_a_binding_when_its_role_is_taken_back_then_it_goes_all_the_same(
    declare: Declare, api: FakeCluster
):
    api.add_role("view", "get")
    declare(entry("dev", access=[EDIT, {"role": "view"}]))
    path = held(api)

    declare(entry("dev", access=[{"role": "view"}]))

    assert path not in api.objects


@pytest.mark.parametrize(
    "by_hand",
    [
        lambda each: each["subjects"].append({"kind": "User", "name": "mallory"}),
        lambda each: each["metadata"].pop("labels"),
    ],
    ids=["another subject", "no label"],
)
def test_given_a_finalizer_on_a_binding_that_is_edited_when_a_hook_runs_then_it_is_repaired(
    declare: Declare, deployed: Model, api: FakeCluster, by_hand: Callable[[Any], None]
):
    declare(entry("dev", access=[EDIT]))
    path = held(api)
    by_hand(api.objects[path])

    assert deployed.hook() == ops.ActiveStatus(f"{HEALTHY}, 1 mapping")

    assert len(api.objects[path]["subjects"]) == 1
    assert "finalizers" not in api.objects[path]["metadata"]


def test_given_a_grant_whose_group_somebody_took_out_when_granted_anew_then_its_old_role_is_gone(
    deployed: Model, api: FakeCluster
):
    api.add_role("view", "get")
    deployed.action("grant-access", arn=OTHER, username="other", role="edit", name="other")
    stored(api, "other")["spec"]["groups"] = []

    deployed.action("grant-access", arn=OTHER, username="other", role="view", name="other")

    (path,) = of(api, "aws-iam:other")
    assert api.objects[path]["roleRef"]["name"] == "view"


@pytest.mark.parametrize(
    "option", [[], [entry("ops", f"{ACCOUNT}:role/Ops")]], ids=["none", "one"]
)
def test_given_a_mapping_without_our_label_when_its_entry_goes_then_its_rights_go_too(
    declare: Declare, api: FakeCluster, option: list[dict[str, Any]]
):
    declare(entry("dev", access=[EDIT]))
    stored(api, "dev")["metadata"]["labels"] = {}

    declare(*option)

    assert of(api, "aws-iam:dev") == []
