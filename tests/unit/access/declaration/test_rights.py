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


NAME, LONG = "namespace's name", "a" * 64


@pytest.mark.parametrize(
    ("access", "line"),
    [
        ("edit", "access is not a list"),
        (["edit"], "access[0]: '' is not a ClusterRole's name"),
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
        *(
            (
                [{"role": "a", "namespaces": ["default", name]}],
                f"access[0]: {said} is not a {NAME}",
            )
            for name, said in (("dev-*", "'dev-*'"), (LONG, f"'{LONG}'"), (["a"], "'no text'"))
        ),
    ],
)
def test_given_a_wrong_access_when_parsed_then_one_line_says_where_and_why(access: Any, line: str):
    text = json.dumps([entry("dev", access=access)])

    assert fault(declared.parse(text, NOW)) == f"mappings[0]: {line}"


def test_given_mappings_of_like_names_when_their_bindings_are_named_then_no_two_names_are_alike():
    mappings = ["dev", "dev-dev", "d.e.v", "d-e-v", "x" * 200, "x" * 201]
    wanted = [Right("edit"), Right("view"), Right("edit", namespaces=("dev", "test"))]

    found = [
        binding for mapping in mappings for _, binding in bindings_of(mapping, wanted, "option")
    ]

    assert len({binding.name for binding in found}) == len(found) == 4 * len(mappings)
    assert max(len(binding.name) for binding in found) < 63
