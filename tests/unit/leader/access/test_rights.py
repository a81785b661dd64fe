"""The rights that come with a declared mapping: given with it, repaired, and taken back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import ops
import pytest
from tests.fakes.declaring import ACCOUNT, HEALTHY, NAME, Declare, entry, name_of, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster

GROUP = f"aws-iam:{NAME}"
ROLE = f"{ACCOUNT}:role/Ops"
EDIT = {"role": "edit", "namespaces": ["default"]}
VIEW = {"role": "view"}


@pytest.fixture(autouse=True)
def _roles(api: FakeCluster) -> None:
    """The roles that every cluster has, and two namespaces of people."""
    for name in ("view", "edit", "admin", "cluster-admin"):
        api.add_role(name, "get")
    api.namespaces |= {"dev", "test"}


def bound(api: FakeCluster) -> dict[str, tuple[str, ...]]:
    """What the groups of mappings' own have: the roles by group, each with its namespace."""
    found: dict[str, list[str]] = {}
    for path in paths(api):
        binding = api.objects[path]
        role, (subject,) = binding["roleRef"], binding["subjects"]
        where = binding["metadata"].get("namespace", "")
        words = "/".join(filter(None, (where, role["kind"], role["name"])))
        found.setdefault(subject["name"], []).append(words)
    return {group: tuple(sorted(roles)) for group, roles in found.items()}


def paths(api: FakeCluster) -> list[str]:
    """Where the bindings are that come with mappings."""
    own = re.compile(rf"{RBAC}/.*bindings/aws-iam-.*-[0-9a-f]{{10}}")
    return sorted(filter(own.fullmatch, api.objects))


def of_dev(api: FakeCluster) -> dict[str, Any]:
    (path,) = paths(api)
    return api.objects[path]


def test_given_an_entry_with_roles_when_it_is_declared_then_its_mapping_alone_has_them(
    declare: Declare, api: FakeCluster
):
    status = declare(
        entry("dev", groups=["devs"], access=[VIEW, {**EDIT, "namespaces": ["dev", "test"]}]),
        entry("ops", ROLE, access=[{**EDIT, "namespaces": ["test"]}]),
    )

    assert status == ops.ActiveStatus(f"{HEALTHY}, 2 mappings")
    assert stored(api, "dev")["spec"]["groups"] == ["devs", GROUP]
    assert bound(api) == {
        GROUP: ("ClusterRole/view", "dev/ClusterRole/edit", "test/ClusterRole/edit"),
        f"aws-iam:{name_of(ROLE)}": ("test/ClusterRole/edit",),
    }


@pytest.mark.parametrize("rights", [[], [VIEW, EDIT]])
def test_given_a_settled_entry_when_a_hook_runs_then_it_asks_for_the_charms_own_bindings_alone(
    declare: Declare, deployed: Model, api: FakeCluster, rights: list[Any]
):
    declare(entry("dev", access=rights))
    api.forget()

    assert deployed.hook() == ops.ActiveStatus(f"{HEALTHY}, 1 mapping")

    assert api.changes == []
    lists = [each for each in api.seen if RBAC in each.path and "/aws-iam-" not in each.path]
    assert [(each.path, each.query["labelSelector"]) for each in lists] == [
        (f"{RBAC}/clusterrolebindings", "aws-iam/source"),
        (f"{RBAC}/rolebindings", "aws-iam/source"),
    ]


@pytest.mark.parametrize(
    "by_hand",
    [
        lambda each: each["roleRef"].update(name="cluster-admin"),
        lambda each: each["subjects"].clear(),
        lambda each: each["subjects"].append({"kind": "User", "name": "mallory"}),
        lambda each: each["subjects"][0].update(kind="User"),
        lambda each: each["metadata"].pop("labels"),
    ],
    ids=["role", "no subject", "another subject", "a user", "no label"],
)
def test_given_a_binding_that_is_edited_by_hand_when_a_hook_runs_then_it_is_repaired(
    declare: Declare, deployed: Model, api: FakeCluster, by_hand: Callable[[Any], None]
):
    declare(entry("dev", access=[EDIT]))
    before = json.loads(json.dumps(of_dev(api)))
    by_hand(of_dev(api))

    deployed.hook()

    after = of_dev(api)
    assert {**after, "metadata": {**after["metadata"], "uid": ""}} == {
        **before,
        "metadata": {**before["metadata"], "uid": ""},
    }


def test_given_a_namespace_that_is_missing_when_declared_then_it_is_named_and_the_rest_is_made(
    declare: Declare, deployed: Model, api: FakeCluster
):
    status = declare(entry("dev", access=[{**EDIT, "namespaces": ["new", "dev"]}]))

    assert status == ops.ActiveStatus(
        f"{HEALTHY}, 1 mapping, 1 not applied: mappings[0].access[0] in new: "
        "the cluster does not make it: '404 namespaces \"new\" not found'"
    )
    assert bound(api) == {GROUP: ("dev/ClusterRole/edit",)}

    api.namespaces.add("new")
    assert deployed.hook() == ops.ActiveStatus(f"{HEALTHY}, 1 mapping")
    assert bound(api) == {GROUP: ("dev/ClusterRole/edit", "new/ClusterRole/edit")}


def test_given_an_administrator_without_that_right_when_declared_then_rbac_s_reason_is_named(
    declare: Declare, api: FakeCluster
):
    reason = 'user "admin" (groups=["ops"]) is attempting to grant RBAC permissions not currently'
    forbidden = refusal(403, f'clusterrolebindings "x" is forbidden: {reason} held')
    api.fail(forbidden, request=f"POST {RBAC}/clusterrolebindings")

    status = declare(entry("dev", access=[VIEW, EDIT]))

    assert status.name == "active"
    assert "mappings[0].access[0]: the cluster does not make it: " in status.message
    assert bound(api) == {GROUP: ("default/ClusterRole/edit",)}
