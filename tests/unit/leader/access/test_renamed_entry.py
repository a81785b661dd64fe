# SPDX-License-Identifier: Apache-2.0

"""An entry that gets another name: whoever it lets in stays in, and counts once."""

from __future__ import annotations

import pytest
from tests.fakes.declaring import Declare, entry, names
from tests.fakes.kubernetes.faults import REFUSALS
from tests.fakes.kubernetes.paths import BINDINGS, MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

OLD = {**entry("dev"), "username": "alice"}
NEW = {**OLD, "name": "ops"}


@pytest.mark.parametrize("user", ["alice", "ops"], ids=["the same user", "another user"])
def test_given_a_renamed_entry_then_the_new_mapping_comes_first_whatever_else_changes(
    declare: Declare, api: FakeCluster, user: str
):
    api.add_role("edit", "get")
    rights = {"access": [{"role": "edit"}]}
    declare({**OLD, **rights})
    api.forget()
    declare({**NEW, **rights, "username": user})

    sent = api.requests
    created, deleted = f"POST {MAPPINGS}", f"DELETE {MAPPINGS}/dev"
    assert sent.index(created) < sent.index(deleted)
    # The role comes with the new mapping, before the former one goes.
    bound = sent.index(f"POST {BINDINGS[0]}")
    assert bound < sent.index(deleted)


@pytest.mark.parametrize("fault", ["read timeout", "500", "connection reset", "403", "422"])
def test_given_a_renamed_entry_when_the_new_mapping_cannot_be_made_then_the_former_stays(
    declare: Declare, api: FakeCluster, fault: str
):
    declare(OLD)
    api.fail(REFUSALS[fault], request=f"POST {MAPPINGS}")
    declare(NEW)

    assert names(api) == ["dev"]
    api.recover()
    declare(NEW)
    assert names(api) == ["ops"]
