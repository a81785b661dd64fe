# SPDX-License-Identifier: Apache-2.0

"""Another unit, or a person, who acts between two requests of the leader's hook."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.fakes.acting import GRANT, grant
from tests.fakes.declaring import Declare, entry, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import BINDINGS, MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

from cluster import sync

PATH = f"{MAPPINGS}/{GRANT}"
REQUESTS = ["GET of bindings", "GET of mappings", "GET of the mapping", "DELETE of the binding"]


def bindings_of(api: FakeCluster, name: str) -> list[str]:
    return [path for path in api.objects if path.startswith(f"{BINDINGS[0]}/aws-iam-{name}")]


@pytest.fixture
def regranted(two: Model, api: FakeCluster) -> tuple[str, dict[str, Any]]:
    """A binding whose grant no longer asks for it, and what is there once another unit has
    granted it anew."""
    api.add_role("edit", "get")
    grant(two, unit=1, role="edit")
    after = copy.deepcopy(api.objects)
    (binding,) = bindings_of(api, GRANT)
    # Somebody takes the group away, so the binding is left over.
    api.objects[PATH]["spec"]["groups"] = []
    api.objects[PATH]["metadata"]["resourceVersion"] = "70"
    after[PATH]["metadata"]["resourceVersion"] = "71"
    return binding, {path: after[path] for path in (PATH, binding)}


@pytest.mark.parametrize("moment", REQUESTS)
def test_given_a_role_that_another_unit_grants_again_then_the_leader_leaves_it(
    two: Model,
    api: FakeCluster,
    regranted: tuple[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
):
    monkeypatch.setattr(sync, "WRITERS", 1)
    binding, after = regranted
    after[binding]["metadata"]["resourceVersion"] = "72"
    paths = [f"GET {BINDINGS[0]}", f"GET {MAPPINGS}", f"GET {PATH}", f"DELETE {binding}"]
    request = dict(zip(REQUESTS, paths, strict=True))[moment]
    api.meanwhile(lambda: api.objects.update(copy.deepcopy(after)), request=request)
    two.hook()
    # Where the binding went before, no hook of ours gives it back: so it must not go.
    two.hook()

    assert f"aws-iam:{GRANT}" in stored(api, GRANT)["spec"]["groups"]
    assert binding in api.objects


def test_given_a_left_over_role_that_nobody_grants_again_then_it_goes(
    two: Model, api: FakeCluster, regranted: tuple[str, dict[str, Any]]
):
    two.hook()

    assert regranted[0] not in api.objects


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


def test_given_what_the_option_no_longer_declares_then_the_log_says_whom_and_why(
    declare: Declare, deployed: Model
):
    declare(entry("dev"))
    declare()

    line = "option mappings: delete mapping dev of arn:aws:iam::111122223333:role/Dev"
    assert line in deployed.log().splitlines()
