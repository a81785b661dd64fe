# SPDX-License-Identifier: Apache-2.0

"""An entry that gets another name: whoever it lets in stays in, and counts once."""

from __future__ import annotations

import json

import httpx2
import pytest
from tests.fakes.declaring import ACCOUNT, DEV, Declare, arns, entry, names
from tests.fakes.kubernetes.faults import REFUSALS
from tests.fakes.kubernetes.paths import BINDINGS, MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

OLD = {**entry("dev"), "username": "alice"}
NEW = {**OLD, "name": "ops"}
OPS, QA, SRE = (f"{ACCOUNT}:role/{each}" for each in ("Ops", "Qa", "Sre"))


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


@pytest.mark.parametrize("stays", [False, True], ids=["goes", "gets another"])
def test_given_a_new_name_whose_person_goes_or_gets_another_then_the_former_mapping_goes_last(
    declare: Declare, api: FakeCluster, *, stays: bool
):
    other = {**entry("ops"), "arn": DEV.replace("Dev", "Other")}
    declare(OLD, other)
    api.forget()
    declare(NEW, *([{**other, "name": "qa"}] * stays))

    sent = [each for each in api.changes if each.startswith(("POST", "DELETE"))]
    create = f"POST {MAPPINGS}"
    first = [create] * stays
    assert sent == [*first, f"DELETE {MAPPINGS}/ops", create, f"DELETE {MAPPINGS}/dev"]


def test_given_a_name_that_passes_on_then_its_roles_go_when_the_former_has_them_by_another(
    declare: Declare, api: FakeCluster
):
    api.add_role("edit", "get")
    rights = {"access": [{"role": "edit"}]}
    declare({**OLD, **rights})
    api.forget()
    declare({**OLD, "arn": DEV.replace("Dev", "Other")}, {**NEW, **rights})

    sent = [each for each in api.changes if "clusterrolebindings" in each]
    assert [each.split()[0] for each in sent] == ["POST", "DELETE"]


def test_given_a_person_whose_other_name_the_cluster_refuses_then_nobody_gets_the_former_one(
    declare: Declare, api: FakeCluster
):
    declare(OLD)
    api.fail(REFUSALS["500"], request=f"POST {MAPPINGS}")
    declare({**OLD, "arn": DEV.replace("Dev", "Other")}, NEW)

    assert names(api) == ["dev"]
    api.recover()
    declare({**OLD, "arn": DEV.replace("Dev", "Other")}, NEW)
    assert names(api) == ["dev", "ops"]


def test_given_a_name_whose_person_goes_then_that_access_ends_before_anybody_is_let_in(
    declare: Declare, api: FakeCluster
):
    declare(OLD)
    api.forget()
    declare({**OLD, "arn": DEV.replace("Dev", "Other")}, {**OLD, "name": "qa", "arn": DEV + "2"})

    sent = [each for each in api.changes if each.startswith(("POST", "DELETE"))]
    assert sent[0] == f"DELETE {MAPPINGS}/dev"


def test_given_a_name_that_passes_on_when_its_former_mapping_has_ended_then_it_waits_for_nobody(
    declare: Declare, api: FakeCluster
):
    bob = f"{ACCOUNT}:role/Bob"
    api.add_mapping("dev", bob, bob.lower(), expires="1970-01-01T00:00:00Z")
    api.fail(REFUSALS["403"], request=f"POST {MAPPINGS}")

    declare(entry("dev"), entry("bob", bob))

    assert names(api) == []


def test_given_a_new_mapping_without_its_role_then_the_former_one_stays_until_it_has_that(
    declare: Declare, api: FakeCluster
):
    api.add_role("edit", "get")
    declare({**OLD, "access": [{"role": "edit"}]})
    api.fail(REFUSALS["500"], request=f"DELETE {MAPPINGS}/dev")
    declare(NEW)
    assert names(api) == ["dev", "ops"]
    api.recover()
    api.forget()

    declare({**NEW, "access": [{"role": "edit"}]})

    bound, deleted = f"POST {BINDINGS[0]}", f"DELETE {MAPPINGS}/dev"
    assert api.requests.index(bound) < api.requests.index(deleted)
    assert names(api) == ["ops"]


def test_given_a_former_mapping_that_has_ended_then_it_goes_whether_its_person_gets_another_or_not(
    declare: Declare, api: FakeCluster
):
    api.add_mapping("dev", DEV, DEV.lower(), expires="1970-01-01T00:00:00Z", source="option")
    api.fail(REFUSALS["403"], request=f"POST {MAPPINGS}")

    declare(NEW)

    assert names(api) == []


def test_given_a_former_mapping_that_has_ended_then_it_waits_for_nobody_to_leave_the_new_name(
    declare: Declare, api: FakeCluster
):
    bob = entry("ops", f"{ACCOUNT}:role/Bob")
    declare(bob)
    api.add_mapping("dev", DEV, DEV.lower(), expires="1970-01-01T00:00:00Z", source="option")
    api.fail(REFUSALS["500"], request=f"POST {MAPPINGS}")

    declare(NEW, {**bob, "name": "qa"})

    assert names(api) == ["ops"]


@pytest.mark.parametrize("fails", ["a", "c"])
@pytest.mark.parametrize("fault", ["403", "500"])
def test_given_names_that_pass_on_in_a_chain_when_one_cannot_be_made_then_nobody_is_locked_out(
    declare: Declare, api: FakeCluster, fault: str, fails: str
):
    declare(entry("a", OPS), entry("b", QA))

    def answer(request: httpx2.Request) -> httpx2.Response | None:
        name = json.loads(request.content)["metadata"]["name"]
        return REFUSALS[fault](request) if name == fails else None

    api.fail(answer, request=f"POST {MAPPINGS}")
    declare(entry("c", OPS), entry("a", QA), entry("b", SRE))

    assert {OPS, QA} <= {*arns(api).values()}
