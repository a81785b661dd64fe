"""What must change so that the cluster has what the option `mappings` declares."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import mappings
from access.arn import canonical_or_empty
from access.declaration import plan
from access.declaration.declared import Entry
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from labels import GRANT, OPTION

ACCOUNT = "arn:aws:iam::111122223333"
DEV, OPS = f"{ACCOUNT}:role/Dev", f"{ACCOUNT}:role/Ops"
SUFFIX = "0123456789abcdef"
SSO_ROLE = f"{ACCOUNT}:role/AWSReservedSSO_DevOps_{SUFFIX}"


def entry(name: str = "dev", arn: str = DEV, place: str = "mappings[0]", **more: str) -> Entry:
    return Entry(
        name, arn, canonical_or_empty(arn), more.get("username", name), ("view",), "", None, place
    )


def of_set(suffix: str = "", username: str = "") -> Entry:
    permission_set = PermissionSet("DevOps", "111122223333", suffix)
    return Entry("devops", "", "", username, (), "", permission_set, "mappings[0]")


def known(role: str) -> dict[PermissionSet, str]:
    return {PermissionSet("DevOps", "111122223333"): role}


def made(name: str = "dev", arn: str = DEV, source: str = OPTION, **more: str) -> IdentityMapping:
    username = more.get("username", name)
    return IdentityMapping(name, arn, username, arn.lower(), ("view",), source)


def test_given_nothing_when_planned_then_nothing_changes():
    assert plan.of([], []) == plan.Plan()


def test_given_what_is_there_when_it_is_declared_then_nothing_changes():
    assert plan.of([entry()], [made()]) == plan.Plan(after=(made(),))


def test_given_an_arn_in_another_case_when_it_is_declared_then_nothing_changes():
    assert plan.of([entry(arn=DEV.upper())], [made()]) == plan.Plan(after=(made(),))


def test_given_a_new_entry_when_planned_then_it_is_created_with_its_canonical_arn():
    found = plan.of([entry()], [])

    assert found.create == (("", entry()),)
    assert found.after == (made(),)


def test_given_another_username_when_planned_then_the_mapping_is_updated():
    found = plan.of([entry(username="developer")], [made()])

    assert found.update == (entry(username="developer"),)
    assert found.create == found.delete == ()


@pytest.mark.parametrize(
    ("owned", "declared", "replaced"),
    [
        (made(arn=OPS), entry(), "dev"),
        (made("former"), entry(), "former"),
    ],
    ids=["another ARN", "another name"],
)
def test_given_a_mapping_that_cannot_become_the_entry_when_planned_then_the_entry_takes_its_place(
    owned: IdentityMapping, declared: Entry, replaced: str
):
    found = plan.of([declared], [owned])

    assert found.create == ((replaced, declared),)
    assert found.delete == ()


def test_given_two_entries_that_swap_their_names_when_planned_then_both_are_made_anew():
    entries = [entry("a", OPS), entry("b", DEV, "mappings[1]")]

    found = plan.of(entries, [made("a", DEV), made("b", OPS)])

    assert found.create == (("a", entries[0]), ("b", entries[1]))
    assert found.delete == ()


def test_given_mappings_of_the_option_that_it_does_not_declare_when_planned_then_they_go():
    found = plan.of([entry()], [made(), made("twin"), made("ops", OPS)])

    assert found.delete == ("twin", "ops")


IN_THE_WAY = "name theirs is taken; if unused, run: kubectl delete iamidentitymapping theirs"
SOURCES_OF_OTHERS = pytest.mark.parametrize("source", ["", GRANT, "else"])


@SOURCES_OF_OTHERS
def test_given_a_mapping_of_others_when_an_entry_has_its_name_then_it_is_not_applied(source: str):
    theirs = made("theirs", DEV, source)

    found = plan.of([entry("theirs", OPS)], [theirs])

    assert found == plan.Plan(not_applied={"mappings[0]": IN_THE_WAY}, after=(theirs,))


@SOURCES_OF_OTHERS
@pytest.mark.parametrize("arn", [DEV, DEV.upper()])
def test_given_a_duplicate_of_others_when_planned_then_the_declared_mapping_stays(
    source: str, arn: str
):
    theirs, ours = made("theirs", arn, source), made()

    assert plan.of([entry()], [theirs, ours]) == plan.Plan(after=(theirs, ours))


@SOURCES_OF_OTHERS
def test_given_a_duplicate_of_others_when_its_principal_is_declared_then_the_entry_is_made_too(
    source: str,
):
    theirs = made("theirs", DEV, source)

    assert plan.of([entry()], [theirs]) == plan.Plan(
        create=(("", entry()),), after=(theirs, made())
    )


@SOURCES_OF_OTHERS
def test_given_a_declared_mapping_without_its_label_when_planned_then_it_gets_the_label_back(
    source: str,
):
    found = plan.of([entry(arn=DEV.upper())], [made(source=source)])

    assert found == plan.Plan(update=(entry(),), after=(made(),))


def test_given_a_principal_of_another_partition_when_planned_then_it_is_not_applied():
    found = plan.of([entry()], [], "aws-cn")

    reason = "no login has partition aws, because the option partition is aws-cn"
    assert found == plan.Plan(not_applied={"mappings[0]": reason})


def test_given_a_suffix_when_planned_then_the_permission_set_has_exactly_that_role():
    found = plan.of([of_set(SUFFIX)], [])

    ((_, created),) = found.create
    assert created.arn == SSO_ROLE
    assert created.username.endswith(
        f":assumed-role/{SSO_ROLE.rpartition('/')[2]}/{{{{SessionName}}}}"
    )


def test_given_a_permission_set_whose_role_is_unknown_when_planned_then_it_is_not_applied():
    found = plan.of([of_set()], [])

    reason = "role unknown; log in once with this permission set, or set suffix"
    assert found == plan.Plan(not_applied={"mappings[0]": reason})


def test_given_a_permission_set_whose_role_is_mapped_when_planned_then_the_mapping_stays():
    owned = dataclasses.replace(made("devops", SSO_ROLE, username="devops"), groups=())
    entry = of_set(username="devops")

    assert plan.of([entry], [owned], roles=known(SSO_ROLE)) == plan.Plan(after=(owned,))


def test_given_a_set_that_is_provisioned_again_when_planned_then_its_new_role_is_mapped():
    new = f"{SSO_ROLE[:-16]}{'0' * 16}"
    owned = made("devops", SSO_ROLE)

    ((replaced, created),) = plan.of([of_set()], [owned], roles=known(new)).create

    assert (replaced, created.arn) == ("devops", new)


def test_given_a_permission_set_and_its_role_when_both_are_declared_then_the_first_is_applied():
    role = entry("role", SSO_ROLE, "mappings[1]")

    found = plan.of([of_set(SUFFIX), role], [])

    assert found.not_applied == {"mappings[1]": "mappings[0] has the same ARN"}


NAMES = st.sampled_from("abcd")
ARNS = st.sampled_from([DEV, OPS, OPS.upper(), f"{ACCOUNT}:root", f"{ACCOUNT}:user/x"])
SOURCES = st.sampled_from([OPTION, OPTION, GRANT, ""])
ENTRIES = st.lists(
    st.builds(entry, NAMES, ARNS),
    max_size=4,
    unique_by=(lambda each: each.name, lambda each: each.arn.lower()),
).map(lambda some: [dataclasses.replace(e, place=f"[{n}]") for n, e in enumerate(some)])
FOUND = st.lists(
    st.builds(made, NAMES, ARNS, SOURCES), max_size=4, unique_by=lambda mapping: mapping.name
)


@given(ENTRIES, FOUND)
def test_given_any_cluster_when_the_plan_is_carried_out_then_another_changes_nothing(
    entries: list[Entry], found: list[IdentityMapping]
):
    first = plan.of(entries, found)

    second = plan.of(entries, first.after)

    assert second == plan.Plan(not_applied=first.not_applied, after=first.after)


@given(ENTRIES, FOUND)
def test_given_any_cluster_when_planned_then_nothing_of_others_changes_and_all_entries_are_there(
    entries: list[Entry], found: list[IdentityMapping]
):
    changes = plan.of(entries, found)

    declared = {(each.name, each.arn.lower()) for each in entries}
    others = [
        mapping
        for mapping in found
        if mapping.source != OPTION and (mapping.name, mapping.arn.lower()) not in declared
    ]
    touched = {*changes.delete, *(each.name for each in changes.update)}
    touched |= {name for replaced, new in changes.create for name in (replaced, new.name)}
    assert touched.isdisjoint(mapping.name for mapping in others)
    assert [mapping for mapping in changes.after if mapping.source != OPTION] == others
    ours = [mapping.arn.lower() for mapping in changes.after if mapping.source == OPTION]
    assert len(ours) == len(set(ours))
    assert set(changes.not_applied) == {
        each.place for each in entries if each.name in {mapping.name for mapping in others}
    }
    assert mappings.check(changes.after).total == len(others) + len(entries) - len(
        changes.not_applied
    )
