# SPDX-License-Identifier: Apache-2.0

"""Another unit, or a person, who acts between two requests of the leader's hook."""

from __future__ import annotations

import copy

import pytest
from tests.fakes.declaring import Declare, entry
from tests.fakes.kubernetes.paths import BINDINGS
from tests.fakes.kubernetes.server import FakeCluster


def bindings_of(api: FakeCluster, name: str) -> list[str]:
    return [path for path in api.objects if path.startswith(f"{BINDINGS[0]}/aws-iam-{name}")]


def test_given_a_binding_that_is_there_already_then_nobody_loses_the_role_for_a_moment(
    declare: Declare, api: FakeCluster
):
    api.add_role("edit", "get")
    first = entry("dev", access=[{"role": "edit"}])
    declare(first)
    (path,) = bindings_of(api, "dev")
    there = copy.deepcopy(api.objects[path])
    api.delete(path)
    # The list that this hook reads is moments old, so the hook misses it.
    api.meanwhile(lambda: api.objects.update({path: there}), request=f"POST {BINDINGS[0]}")
    api.forget()
    declare(first)

    assert path in api.objects
    assert f"DELETE {path}" not in api.requests


@pytest.mark.parametrize("field", ["roleRef", "subjects", "labels", "annotations"])
def test_given_another_binding_of_the_name_then_it_is_replaced(
    declare: Declare, api: FakeCluster, field: str
):
    api.add_role("edit", "get")
    first = entry("dev", access=[{"role": "edit"}])
    declare(first)
    (path,) = bindings_of(api, "dev")
    there, wanted = copy.deepcopy(api.objects[path]), api.objects[path]["metadata"]
    if field == "roleRef":
        there[field]["name"] = "admin"
    elif field == "subjects":
        there[field].append({"kind": "User", "name": "mallory"})
    else:
        there["metadata"][field] = {}
    api.delete(path)
    api.meanwhile(lambda: api.objects.update({path: there}), request=f"POST {BINDINGS[0]}")
    declare(first)

    found = api.objects[path]
    assert found["roleRef"]["name"] == "edit"
    assert len(found["subjects"]) == 1
    assert found["metadata"]["labels"] == wanted["labels"]
    assert found["metadata"]["annotations"] == wanted["annotations"]
