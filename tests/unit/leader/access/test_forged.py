"""Whoever writes mappings or bindings gains no rights of others' mappings, and takes none away."""

from __future__ import annotations

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


@pytest.fixture(autouse=True)
def _roles(api: FakeCluster) -> None:
    for name in ("view", "edit"):
        api.add_role(name, "get")


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
    said = f"mapping dev of {OTHER} gave way to the one that the option mappings declares"
    assert f"{said} (mappings[0])" in deployed.log()


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


def test_given_a_namespace_that_goes_as_bindings_are_made_then_the_unit_is_not_in_error(
    declare: Declare, deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(state, "namespaces", lambda _: {"gone"})

    status = declare(entry("dev", access=[{**EDIT, "namespaces": ["gone"]}]))

    assert status == ops.ActiveStatus(
        f"{HEALTHY}, 1 mapping, 1 of the role bindings not created yet"
    )


def test_given_a_grant_whose_group_somebody_took_out_when_granted_anew_then_its_old_role_is_gone(
    deployed: Model, api: FakeCluster
):
    deployed.action("grant-access", arn=OTHER, username="other", role="edit", name="other")
    stored(api, "other")["spec"]["groups"] = []

    deployed.action("grant-access", arn=OTHER, username="other", role="view", name="other")

    (path,) = of(api, "aws-iam:other")
    assert api.objects[path]["roleRef"]["name"] == "view"


def test_given_a_mapping_without_our_label_when_its_entry_goes_then_its_rights_go_too(
    declare: Declare, api: FakeCluster
):
    declare(entry("dev", access=[EDIT]))
    stored(api, "dev")["metadata"]["labels"] = {}

    declare()

    assert of(api, "aws-iam:dev") == []
