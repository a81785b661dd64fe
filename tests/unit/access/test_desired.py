"""Who is to have access, and what has to change for that."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.arns import CANONICAL, PATHED
from tests.fakes.declaring import ACCOUNT, DEV, NAME, name_of

from access import desired
from access.arn import canonical_or_empty
from access.declaration.declared import Declared, Wrong
from access.declaration.entry import Entry
from access.desired import Access, Changes, Desired, State
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from access.rights import Right, bindings
from labels import GRANT, OPTION

OPS, QA = (f"{ACCOUNT}:role/{name}" for name in ("Ops", "Qa"))
SUFFIX = "0123456789abcdef"
SSO_ROLE = f"{ACCOUNT}:role/AWSReservedSSO_DevOps_{SUFFIX}"


def entry(arn: str = DEV, place: str = "mappings[0]") -> Entry:
    return Entry(arn, canonical_or_empty(arn), "dev", ("view",), "", None, place)


def of_set(suffix: str = "", username: str = "") -> Entry:
    permission_set = PermissionSet("DevOps", "111122223333", suffix)
    return Entry("", "", username, (), "", permission_set, "mappings[0]")


def made(name: str = NAME, arn: str = DEV, source: str = OPTION, **more: str) -> IdentityMapping:
    username, expires = more.get("username", "dev"), more.get("expires", "")
    return IdentityMapping(name, arn, username, arn.lower(), ("view",), source, expires)


NOW = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)
PAST, FUTURE = "2026-11-25T00:00:00Z", "2026-11-27T00:00:00Z"


def plan(
    entries: Sequence[Entry],
    found: Sequence[IdentityMapping],
    partition: str = "aws",
    set_role: str = "",
) -> tuple[Desired, Changes]:
    """What is wanted, and what has to change for it."""
    access = Access(tuple(found))
    roles = {PermissionSet("DevOps", "111122223333"): set_role} if set_role else {}
    state = State(access, set_roles=roles)
    wanted = desired.access(Declared(tuple(entries)), state, NOW, partition)
    return wanted, desired.changes(access, wanted.access)


def test_given_what_is_there_when_it_is_declared_in_any_case_then_nothing_changes():
    wanted, steps = plan([entry(arn=DEV.upper())], [made()])

    assert steps == Changes()
    assert wanted.access.mappings == (made(),)


def test_given_a_new_entry_when_planned_then_it_is_created_with_its_canonical_arn_and_its_end():
    ends = dataclasses.replace(entry(), expires=FUTURE)

    wanted, steps = plan([ends], [])

    assert steps == Changes(create=(made(expires=FUTURE),))
    assert wanted.places == {NAME: "mappings[0]"}


@pytest.mark.parametrize(("arn", "since"), [(DEV, "2026-01-01T00:00:00Z"), (OPS, "")])
def test_given_a_mapping_then_it_is_as_old_as_it_was_unless_it_is_made_anew(arn: str, since: str):
    there = dataclasses.replace(made(arn=arn), created="2026-01-01T00:00:00Z")

    (wanted,) = plan([entry()], [there])[0].access.mappings

    assert wanted.created == since


def test_given_an_entry_with_a_fault_then_what_it_may_have_made_stays_unless_a_good_one_has_it():
    kept, theirs = made("kept", OPS), made("theirs", QA, "")
    faulty = Wrong("mappings[1]", "no such role", frozenset())
    declared = Declared((entry(),), wrong=(faulty,))
    found = Access((kept, theirs, made()))

    wanted = desired.access(declared, State(found), NOW)

    assert wanted.not_applied == {"mappings[1]": "no such role; keeps mapping kept"}
    assert desired.changes(found, wanted.access) == Changes()


@pytest.mark.parametrize("source", [OPTION, ""], ids=["another ARN", "a person's"])
def test_given_a_mapping_of_another_principal_under_its_name_then_an_entry_takes_its_place(
    source: str,
):
    other = made(arn=OPS, source=source)

    assert plan([entry()], [other])[1] == Changes(replace=((other, made()),))


def test_given_a_mapping_of_its_principal_under_another_name_then_an_entry_replaces_it():
    former = made("former")

    assert plan([entry()], [former])[1] == Changes(delete=(former,), create=(made(),))


def test_given_mappings_of_others_that_have_ended_then_the_charms_own_go_before_them():
    # Whoever may write mappings may write any number of them.
    theirs, ours = made("a", QA, "", expires=PAST), made("z", expires=PAST)

    assert desired.changes(Access((theirs, ours)), Access()).delete == (ours, theirs)


def test_given_a_mapping_that_has_ended_beside_a_new_one_of_its_principal_then_it_goes_by_itself():
    new = dataclasses.replace(made("new", source=""), canonical="")
    ended = made("ended", source="", expires=PAST)

    expected = Changes(delete=(ended,), activate=((new, made("new", source="")),))
    assert plan([], [new, ended])[1] == expected


def test_given_mappings_of_the_option_that_it_does_not_declare_when_planned_then_they_go():
    gone = made("twin"), made(name_of(OPS), OPS)

    assert plan([entry()], [made(), *gone])[1] == Changes(delete=gone)


def test_given_a_duplicate_of_others_when_its_principal_is_declared_then_the_entry_is_made_too():
    assert plan([entry()], [made("theirs", DEV.upper(), "")])[1] == Changes(create=(made(),))


@pytest.mark.parametrize(
    "former",
    [made(username="x"), made(source=""), made(expires=PAST)],
    ids=["another user", "no label", "an end"],
)
def test_given_a_declared_mapping_that_somebody_changed_when_planned_then_it_is_as_declared(
    former: IdentityMapping,
):
    assert plan([entry(arn=DEV.upper())], [former])[1] == Changes(update=((former, made()),))


@pytest.mark.parametrize(
    ("declared", "partition", "reason"),
    [
        (entry(), "aws-cn", "no login has partition aws, because the option partition is aws-cn"),
        (of_set(), "aws", "role unknown; log in once with this permission set, or set suffix"),
    ],
    ids=["of another partition", "a set whose role is unknown"],
)
def test_given_a_principal_that_cannot_be_mapped_when_planned_then_it_is_not_applied(
    declared: Entry, partition: str, reason: str
):
    wanted, steps = plan([declared], [], partition)

    assert (wanted.not_applied, steps) == ({"mappings[0]": reason}, Changes())


def test_given_a_set_that_is_provisioned_again_when_planned_then_its_new_role_is_mapped():
    new = f"{SSO_ROLE[:-16]}{'0' * 16}"
    owned = made(name_of(SSO_ROLE), SSO_ROLE)

    steps = plan([of_set()], [owned], set_role=new)[1]

    assert steps.delete == (owned,)
    assert [(each.name, each.arn) for each in steps.create] == [(name_of(new), new)]


def test_given_a_permission_set_and_its_role_when_both_are_declared_then_the_first_is_applied():
    role = entry(SSO_ROLE, "mappings[1]")

    wanted, _ = plan([of_set(SUFFIX), role], [])

    assert wanted.not_applied == {"mappings[1]": "mappings[0] has the same ARN"}


# The status of mappings, whoever made them.


def persons(arn: str, canonical: str, name: str = "dev") -> IdentityMapping:
    return IdentityMapping(name, arn, "alice", canonical)


@pytest.mark.parametrize(("arn", "canonical"), [(DEV, CANONICAL), (PATHED, PATHED)])
def test_given_a_mapping_then_its_status_is_to_be_what_the_authenticator_writes(
    arn: str, canonical: str
):
    new, right = persons(arn, ""), persons(arn, canonical)

    assert plan([], [new])[1] == Changes(activate=((new, right),))
    assert plan([], [right])[1] == Changes()


@pytest.mark.parametrize("arn", ["dev", PATHED], ids=["no ARN", "another ARN"])
def test_given_a_status_that_lets_a_former_principal_in_then_that_one_loses_it_first(arn: str):
    former = persons(arn, CANONICAL)

    assert plan([], [former])[1] == Changes(
        withdraw=((former, persons(arn, canonical_or_empty(arn))),)
    )


# Bindings, which are wanted as long as their mapping is.

VIEW, EDIT = Right("view", place="access[0]"), Right("edit", namespaces=("team",))


def bound(name: str, right: Right, source: str = OPTION):
    ((_, made),) = bindings(name, [right], source)
    return made


def with_group(mapping: IdentityMapping) -> IdentityMapping:
    groups = (*mapping.groups, f"aws-iam:{mapping.name}")
    return dataclasses.replace(mapping, groups=groups)


def test_given_another_arn_under_the_name_of_an_entry_then_the_former_role_goes_first():
    other = with_group(made(arn=OPS))
    found = Access((other,), (bound(NAME, VIEW),))
    new = dataclasses.replace(entry(), rights=(VIEW,))

    steps = desired.changes(found, desired.access(Declared((new,)), State(found), NOW).access)

    assert steps == Changes(
        unbind=(bound(NAME, VIEW),),
        replace=((other, with_group(made())),),
        bind=(bound(NAME, VIEW),),
    )


@pytest.mark.parametrize(
    "mappings",
    [(), (made(),), (made(source=GRANT),), (with_group(made()),)],
    ids=["no mapping", "declared", "a grant without the group", "the option's"],
)
def test_given_a_grants_binding_without_its_grant_then_it_goes(
    mappings: tuple[IdentityMapping, ...],
):
    found = Access(mappings, (bound(NAME, VIEW, GRANT),))

    wanted = desired.access(Declared((entry(),) if mappings else ()), State(found), NOW)

    assert desired.changes(found, wanted.access).unbind == found.bindings


def test_given_a_grant_then_its_binding_stays_and_one_that_a_person_edited_goes():
    right = bound(NAME, VIEW, GRANT)
    edited = dataclasses.replace(bound(NAME, EDIT, GRANT), role="admin")
    found = Access((with_group(made(source=GRANT)),), (right, edited))

    wanted = desired.access(Declared(), State(found), NOW)

    assert desired.changes(found, wanted.access) == Changes(unbind=(edited,))


def test_given_a_wrong_option_then_its_mappings_and_bindings_stay_and_grants_keep_theirs():
    option, grant = with_group(made()), with_group(made("g", OPS, GRANT))
    found = Access((option, grant), (bound(NAME, VIEW), bound("g", VIEW, GRANT)))

    wanted = desired.access(Declared(error="wrong"), State(found), NOW)

    assert desired.changes(found, wanted.access) == Changes()


# Access that ends.


def test_given_access_that_has_ended_then_its_mapping_and_its_role_go():
    over = dataclasses.replace(with_group(made(source=GRANT)), expires=PAST)
    found = Access((over, made("ops", OPS, "", expires=FUTURE)), (bound(NAME, VIEW, GRANT),))

    steps = desired.changes(found, desired.access(Declared(), State(found), NOW).access)

    assert steps == Changes(unbind=found.bindings, delete=(over,))
    assert desired.lasting(found, Declared(), NOW) == Access(found.mappings[1:])


def test_given_a_declared_mapping_that_somebody_lets_end_then_it_lasts_if_the_option_can_be_read():
    found = Access((made(expires=PAST),))

    declared = Declared((entry(),), ends={entry().mark: ""})
    assert desired.lasting(found, declared, NOW) == found
    assert desired.lasting(found, Declared(error="wrong"), NOW) == Access()


NAMES = st.sampled_from([NAME, "b", "c"])
ARNS = st.sampled_from([DEV, OPS, OPS.upper(), f"{ACCOUNT}:root", f"{ACCOUNT}:user/x"])
SOURCES = st.sampled_from([OPTION, OPTION, GRANT, ""])
ENTRIES = st.lists(
    st.builds(entry, ARNS), max_size=4, unique_by=lambda each: each.arn.lower()
).map(lambda some: [dataclasses.replace(e, place=f"[{n}]") for n, e in enumerate(some)])
FOUND = st.lists(
    st.builds(made, NAMES, ARNS, SOURCES), max_size=4, unique_by=lambda mapping: mapping.name
)


@given(ENTRIES, FOUND)
def test_given_any_cluster_when_what_is_wanted_is_there_then_nothing_changes(
    entries: list[Entry], found: list[IdentityMapping]
):
    first, _ = plan(entries, found)

    again, steps = plan(entries, first.access.mappings)

    assert (again, steps) == (first, Changes())


@given(ENTRIES, FOUND)
def test_given_any_cluster_then_nothing_of_others_changes_but_its_status_and_all_entries_are_there(
    entries: list[Entry], found: list[IdentityMapping]
):
    wanted, steps = plan(entries, found)

    names = {each.name for each in entries}
    others = [each for each in found if each.source != OPTION and each.name not in names]
    touched = {*steps.delete, *(old for old, _ in (*steps.replace, *steps.update))}
    assert touched.isdisjoint(others)
    assert [each for each in wanted.access.mappings if each.source != OPTION] == others
    ours = [each.arn.lower() for each in wanted.access.mappings if each.source == OPTION]
    assert sorted(ours) == sorted(each.arn.lower() for each in entries)
