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

from access import desired, expiry
from access.arn import canonical_or_empty
from access.changes import Changes, changes
from access.declaration.declared import Declared
from access.declaration.entry import Entry
from access.declaration.formats import Remark
from access.desired import Access, Desired
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from access.rights import Right, RoleBinding, bindings
from labels import GRANT, OPTION

OPS, QA = (f"{ACCOUNT}:role/{name}" for name in ("Ops", "Qa"))
SSO_ROLE = f"{ACCOUNT}:role/AWSReservedSSO_DevOps_0123456789abcdef"
DEVOPS = PermissionSet("DevOps", "111122223333")
OF_SET = Entry("", "", "", (), "", DEVOPS, "mappings[0]")
NOW = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)
PAST, FUTURE = "2026-11-25T00:00:00Z", "2026-11-27T00:00:00Z"
FAULT = (Remark("mappings[1]", "it is wrong"),)
VIEW, EDIT = Right("view", place="access[0]"), Right("edit", namespaces=("team",))


def entry(arn: str = DEV, place: str = "mappings[0]", **more: str) -> Entry:
    return Entry(
        arn, canonical_or_empty(arn), "dev", ("view",), more.get("expires", ""), None, place
    )


def made(name: str = NAME, arn: str = DEV, source: str = OPTION, **more: str) -> IdentityMapping:
    username, expires = more.get("username", "dev"), more.get("expires", "")
    return IdentityMapping(name, arn, username, arn.lower(), ("view",), source, expires)


def bound(name: str, right: Right, source: str = OPTION, owner: str = "") -> RoleBinding:
    ((_, found),) = bindings(name, [right], source)
    return dataclasses.replace(found, owner=owner)


def with_group(mapping: IdentityMapping) -> IdentityMapping:
    groups = (*mapping.groups, f"aws-iam:{mapping.name}")
    return dataclasses.replace(mapping, groups=groups)


def want(declared: Declared, found: Access, set_role: str = "") -> Desired:
    return desired.access(declared, found, {DEVOPS: set_role} if set_role else {}, NOW)


def steps(
    entries: Sequence[Entry], *found: IdentityMapping, bound: tuple[RoleBinding, ...] = ()
) -> Changes:
    """What has to change in what is ``found`` and ``bound`` to have the entries."""
    there = Access(found, bound)
    return changes(there, want(Declared(tuple(entries)), there).access)


# What the option declares.


def test_given_what_is_there_when_it_is_declared_in_any_case_then_nothing_changes():
    assert steps([entry(arn=DEV.upper())], made()) == Changes()


def test_given_a_new_entry_then_it_is_created_with_its_canonical_arn_and_its_end():
    declared = Declared((entry(expires=FUTURE),))

    wanted = want(declared, Access())

    assert wanted.access.mappings == (made(expires=FUTURE),)
    assert wanted.places == {NAME: "mappings[0]"}


@pytest.mark.parametrize(("arn", "since"), [(DEV, "2026-01-01T00:00:00Z"), (OPS, "")])
def test_given_a_mapping_then_it_is_as_old_as_it_was_unless_it_is_made_anew(arn: str, since: str):
    there = dataclasses.replace(made(arn=arn), created="2026-01-01T00:00:00Z")

    (wanted,) = want(Declared((entry(),)), Access((there,))).access.mappings

    assert wanted.created == since


@pytest.mark.parametrize("source", [OPTION, GRANT, ""])
def test_given_another_principal_under_the_name_of_an_entry_then_it_gives_way(source: str):
    other = made(arn=OPS, source=source)

    assert steps([entry()], other) == Changes(end=(other,), change=(made(),))


def test_given_mappings_of_the_option_that_it_does_not_declare_then_they_go():
    gone = made("twin"), made(name_of(OPS), OPS)

    assert steps([entry()], made(), *gone) == Changes(end=gone)


def test_given_a_duplicate_of_others_when_its_principal_is_declared_then_the_entry_is_made_too():
    assert steps([entry()], made("theirs", DEV.upper(), "")) == Changes(change=(made(),))


@pytest.mark.parametrize(
    "former",
    [made(username="x"), made(source=""), made(source=GRANT), made(expires=PAST)],
    ids=["another user", "no label", "a grant", "an end"],
)
def test_given_a_declared_mapping_that_is_not_as_declared_then_the_same_object_becomes_so(
    former: IdentityMapping,
):
    assert steps([entry(arn=DEV.upper())], former) == Changes(change=(made(),))


def test_given_an_option_with_a_fault_then_nothing_of_it_changes_but_what_has_an_end_ends():
    option, over = with_group(made()), made("over", QA, expires=PAST)
    found = Access((option, over, made("b", OPS)), (bound(NAME, VIEW),))

    declared = Declared((entry(arn=f"{ACCOUNT}:user/new"), entry()), faults=FAULT)
    wanted = want(declared, found)

    assert changes(found, wanted.access) == Changes(end=(over,))
    assert wanted.places == {}


# Permission sets.


def test_given_a_set_whose_role_is_unknown_then_it_waits_for_a_login():
    wanted = want(Declared((OF_SET,)), Access())

    assert wanted.access == Access()
    reason = "role unknown; log in once with this permission set, or set suffix"
    assert wanted.not_applied == {"mappings[0]": reason}


def test_given_a_set_that_is_provisioned_again_then_its_new_role_is_mapped_and_the_former_goes():
    new = f"{SSO_ROLE[:-16]}{'0' * 16}"
    found = Access((made(name_of(SSO_ROLE), SSO_ROLE),))

    planned = changes(found, want(Declared((OF_SET,)), found, new).access)

    assert planned.end == found.mappings
    assert [(each.name, each.arn) for each in planned.change] == [(name_of(new), new)]


# The status of mappings, whoever made them.


@pytest.mark.parametrize(
    ("arn", "now", "canonical"),
    [
        (DEV, "", CANONICAL),
        (PATHED, "", PATHED),
        ("dev", CANONICAL, ""),
        (PATHED, CANONICAL, PATHED),
    ],
    ids=["new", "with a path", "no ARN", "a former principal"],
)
def test_given_a_mapping_then_its_status_is_to_name_its_own_principal_only(
    arn: str, now: str, canonical: str
):
    there = IdentityMapping("theirs", arn, "alice", now)
    right = dataclasses.replace(there, canonical=canonical)

    assert steps([], there) == Changes(change=(right,))
    assert steps([], right) == Changes()


# Bindings, which are wanted as long as their mapping is.


def test_given_a_role_that_another_one_replaces_then_both_changes_stand_by_themselves():
    new = dataclasses.replace(entry(), rights=(VIEW,))

    planned = steps([new], with_group(made()), bound=(bound(NAME, EDIT),))

    assert planned == Changes(unbind=(bound(NAME, EDIT),), bind=(bound(NAME, VIEW),))


@pytest.mark.parametrize(
    ("arn", "owner"), [(OPS, "1"), (DEV, "0")], ids=["it is made anew", "its owner is another"]
)
def test_given_a_mapping_that_does_not_own_its_binding_then_that_is_made_anew(
    arn: str, owner: str
):
    new = dataclasses.replace(entry(), rights=(VIEW,))
    there = dataclasses.replace(with_group(made(arn=arn)), uid="1")

    planned = steps([new], there, bound=(bound(NAME, VIEW, owner=owner),))

    assert (planned.unbind, planned.bind) == ((bound(NAME, VIEW),), (bound(NAME, VIEW),))


@pytest.mark.parametrize(
    "mappings",
    [(), (made(),), (made(source=GRANT),), (with_group(made()),)],
    ids=["no mapping", "declared", "a grant without the group", "the option's"],
)
def test_given_a_grants_binding_without_its_grant_then_it_goes(
    mappings: tuple[IdentityMapping, ...],
):
    binding = bound(NAME, VIEW, GRANT)

    assert steps([entry()] if mappings else [], *mappings, bound=(binding,)).unbind == (binding,)


def test_given_a_grant_then_its_binding_stays_and_one_that_a_person_edited_goes():
    right = bound(NAME, VIEW, GRANT)
    edited = dataclasses.replace(bound(NAME, EDIT, GRANT), role="admin")

    planned = steps([], with_group(made(source=GRANT)), bound=(right, edited))

    assert planned == Changes(unbind=(edited,))


# Access that ends.


def test_given_access_that_has_ended_then_its_mapping_and_its_role_go():
    over = dataclasses.replace(with_group(made(source=GRANT)), expires=PAST)
    roles = (bound(NAME, VIEW, GRANT),)

    planned = steps([], over, made("ops", OPS, "", expires=FUTURE), bound=roles)

    assert planned == Changes(end=(over,), unbind=roles)


@pytest.mark.parametrize(
    ("declared", "name", "ends"),
    [
        (Declared((entry(),)), NAME, ""),
        (Declared((entry(expires=FUTURE),)), NAME, FUTURE),
        (Declared((entry(expires=FUTURE),)), "theirs", PAST),
        (Declared((entry(),), faults=FAULT), NAME, PAST),
        (Declared(), NAME, PAST),
    ],
    ids=["declared for ever", "until", "a duplicate", "a fault", "not declared"],
)
def test_given_an_annotation_then_it_ends_what_a_good_option_does_not_declare(
    declared: Declared, name: str, ends: str
):
    found = expiry.end(made(name, expires=PAST), declared)

    assert found == (datetime.datetime.fromisoformat(ends) if ends else None)


def test_given_a_declared_access_that_has_ended_then_it_goes_whatever_its_annotation_says():
    there = made(expires=FUTURE)

    assert steps([entry(expires=PAST)], there) == Changes(end=(there,))


# Whatever is there.

ARNS = st.sampled_from([DEV, OPS, OPS.upper(), f"{ACCOUNT}:root", f"{ACCOUNT}:user/x"])
SOURCES = st.sampled_from([OPTION, OPTION, GRANT, ""])
ENTRIES = st.lists(
    st.builds(entry, ARNS), max_size=4, unique_by=lambda each: each.arn.lower()
).map(lambda some: [dataclasses.replace(e, place=f"[{n}]") for n, e in enumerate(some)])
FOUND = st.lists(
    st.builds(made, st.sampled_from([NAME, "b", "c"]), ARNS, SOURCES),
    max_size=4,
    unique_by=lambda mapping: mapping.name,
)


@given(ENTRIES, FOUND, st.booleans())
def test_given_any_cluster_then_what_is_wanted_is_there_at_once_and_others_keep_theirs(
    entries: list[Entry], found: list[IdentityMapping], wrong: bool
):
    before = Access(tuple(found))
    declared = Declared(tuple(entries), faults=FAULT if wrong else ())
    wanted = want(declared, before).access

    assert changes(wanted, want(declared, wanted).access) == Changes()
    if wrong:
        assert changes(before, wanted) == Changes()
        return
    names = {each.name for each in entries}
    others = [each for each in found if each.source != OPTION and each.name not in names]
    assert [each for each in wanted.mappings if each.source != OPTION] == others
    ours = [each.arn.lower() for each in wanted.mappings if each.source == OPTION]
    assert sorted(ours) == sorted(each.arn.lower() for each in entries)
