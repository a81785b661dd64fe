"""The key `access` of an entry of the option `mappings`."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from tests.fakes.declaring import entry, fault

from access.declaration import declared
from access.mapping import Right, bindings_of

NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)


def parse(*access: Any, **more: Any) -> declared.Entry:
    text = json.dumps([entry("dev", access=[*access], **more)])
    (found,) = declared.parse(text, NOW).entries
    return found


def test_given_roles_when_parsed_then_each_has_its_namespaces_and_its_place():
    found = parse(
        {"role": "edit", "namespaces": ["dev", "test", "dev"]}, {"Role": "system:node-reader"}
    )

    assert found.rights == (
        Right("edit", ("dev", "test"), "mappings[0].access[0]"),
        Right("system:node-reader", (), "mappings[0].access[1]"),
    )
    assert found.groups == ()


def test_given_roles_that_overlap_when_parsed_then_each_is_bound_once():
    found = parse(
        {"policy": "AmazonEKSViewPolicy"},
        {"role": "view"},
        {"role": "edit", "namespaces": ["dev"]},
        {"role": "edit", "namespaces": ["dev", "test"]},
        {"role": "edit", "namespaces": ["test", "dev"]},
    )

    assert found.rights == (
        Right("view", place="mappings[0].access[0]"),
        Right("edit", namespaces=("dev",), place="mappings[0].access[2]"),
        Right("edit", namespaces=("test",), place="mappings[0].access[3]"),
    )


@pytest.mark.parametrize(
    ("policy", "role"),
    [
        ("AmazonEKSClusterAdminPolicy", "cluster-admin"),
        ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy", "admin"),
        ("arn:aws-cn:eks::aws:cluster-access-policy/AmazonEKSEditPolicy", "edit"),
        ("amazoneksviewpolicy", "view"),
    ],
)
def test_given_an_access_policy_of_eks_when_parsed_then_it_is_the_role_that_is_like_it(
    policy: str, role: str
):
    (right,) = parse({"policy": policy, "namespaces": ["dev"]}).rights

    assert (right.role, right.namespaces) == (role, ("dev",))


@pytest.mark.parametrize(
    ("access", "line"),
    [
        ("edit", "access is not a list"),
        (["edit"], "access[0] has not exactly one of role and policy"),
        ([{"role": "a", "policy": "b"}], "access[0] has not exactly one of role and policy"),
        ([{"role": "edit"}, {"rol": "edit"}], "access[1]: the key 'rol' is unknown"),
        ([{"role": ["edit"]}], "access[0]: role is not a text"),
        *(
            ([{"role": role}], f"access[0]: '{role}' is not a ClusterRole's name")
            for role in ("a/b", "..", "a b", "a%b")
        ),
        ([{"role": "a", "kind": "Role"}], "access[0]: the key 'kind' is unknown"),
        ([{"role": "a", "namespaces": []}], "access[0]: namespaces is not a list of names"),
        ([{"role": "a", "namespaces": None}], "access[0]: namespaces is not a list of names"),
        ([{"role": "a", "namespaces": "dev"}], "access[0]: namespaces is not a list of names"),
    ],
)
def test_given_a_wrong_access_when_parsed_then_one_line_says_where_and_why(access: Any, line: str):
    text = json.dumps([entry("dev", access=access)])

    assert fault(declared.parse(text, NOW)) == f"mappings[0]: {line}"


@pytest.mark.parametrize("pattern", ["dev-*", "a" * 64, ["a"]], ids=["pattern", "long", "list"])
def test_given_what_is_no_namespace_when_parsed_then_it_is_left_out_and_the_others_count(
    pattern: Any,
):
    text = json.dumps([entry("dev", access=[{"role": "a", "namespaces": ["default", pattern]}])])

    found = declared.parse(text, NOW)

    assert found.entries[0].rights == (
        Right("a", place="mappings[0].access[0]", namespaces=("default",)),
    )
    (left_out,) = found.left_out
    assert left_out.place == "mappings[0].access[0].namespaces"
    assert left_out.reason.endswith("is not a namespace's name")


def test_given_patterns_alone_when_parsed_then_the_role_does_not_count_in_the_whole_cluster():
    assert parse({"role": "a", "namespaces": ["dev-*"]}).rights == ()


def test_given_mappings_of_like_names_when_their_bindings_are_named_then_no_two_names_are_alike():
    mappings = ["dev", "dev-dev", "d.e.v", "d-e-v", "x" * 200, "x" * 201]
    wanted = [Right("edit"), Right("view"), Right("edit", namespaces=("dev", "test"))]

    found = [
        binding for mapping in mappings for _, binding in bindings_of(mapping, wanted, "option")
    ]

    assert len({binding.name for binding in found}) == len(found) == 4 * len(mappings)
    assert max(len(binding.name) for binding in found) < 63
