"""Who is to have access, and what has to change for that."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.arns import CANONICAL, PATHED
from tests.fakes.declaring import ACCOUNT, DEV, NAME, name_of

from access import desired
from access.arn import canonical_or_empty
from access.changes import Changes, changes
from access.declaration.declared import Declared, parse
from access.declaration.entry import Entry
from access.declaration.rights import Remark
from access.desired import Access, Desired
from access.mapping import IdentityMapping, Right, RoleBinding, bindings_of
from access.permission_sets import PermissionSet
from owner import GRANT, OPTION

OPS, SSO_ROLE = f"{ACCOUNT}:role/Ops", f"{ACCOUNT}:role/AWSReservedSSO_DevOps_0123456789abcdef"
SET = PermissionSet("DevOps", "111122223333")
NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)
PAST, FUTURE = "2026-11-25T00:00:00Z", "2026-11-27T00:00:00Z"
VIEW, EDIT = Right("view", place="access[0]"), Right("edit", namespaces=("team",))
FAULT = Remark("mappings[9]", "it is wrong")


def entry(arn: str = DEV, **more: Any) -> Entry:
    whole = Entry(arn, canonical_or_empty(arn), "dev", ("view",), "", None, "mappings[0]")
    return dataclasses.replace(whole, **more)


def made(arn: str = DEV, name: str = NAME, source: str = OPTION, **more: Any) -> IdentityMapping:
    whole = IdentityMapping(name, arn, "dev", canonical_or_empty(arn), ("view",), source)
    return dataclasses.replace(whole, **more)


def with_group(mapping: IdentityMapping) -> IdentityMapping:
    return dataclasses.replace(mapping, groups=(*mapping.groups, f"aws-iam:{mapping.name}"))


def bound(right: Right, name: str = NAME, source: str = OPTION, owner: str = "") -> RoleBinding:
    ((_, whole),) = bindings_of(name, [right], source)
    return dataclasses.replace(whole, owner=owner)


def plan(
    entries: Any, *found: IdentityMapping | RoleBinding, set_role: str = ""
) -> tuple[Desired, Changes]:
    """What is wanted, and what has to change for it. ``entries`` is None for a fault."""
    declared = Declared(faults=(FAULT,)) if entries is None else Declared(tuple(entries))
    there = Access(
        tuple(each for each in found if isinstance(each, IdentityMapping)),
        tuple(each for each in found if isinstance(each, RoleBinding)),
    )
    wanted = desired.access(declared, there, {SET: set_role} if set_role else {}, NOW)
    return wanted, changes(there, wanted.access)


OTHERS = made(OPS, source=""), made(OPS)
GRANTED = with_group(made(source=GRANT))
ENDED = with_group(made(source=GRANT, expires=PAST))
OF_SET = entry("", permission_set=SET, username="")
SSO = name_of(SSO_ROLE)
STORY: dict[str, tuple[Any, list[Any], Changes]] = {
    # What is declared, what there is, and what changes.
    "as it is": ([entry(arn=DEV.upper())], [made()], Changes()),
    "its status": ([entry()], [made(canonical=OPS.lower())], Changes(change=(made(),))),
    "new": ([entry(expires=FUTURE)], [], Changes(change=(made(expires=FUTURE),))),
    "its time is over": ([entry(expires=PAST)], [made(expires=PAST)], Changes((made(),))),
    "another person's name": ([entry()], [OTHERS[0]], Changes((OTHERS[0],), change=(made(),))),
    "another ARN": ([entry()], [OTHERS[1]], Changes((OTHERS[1],), change=(made(),))),
    "a duplicate": ([entry()], [made(name="x", source="")], Changes(change=(made(),))),
    "another name": (
        [entry()],
        [made(name="x"), made(name="y", source=GRANT)],
        Changes((made(name="x"),), change=(made(),)),
    ),
    "not declared": ([], [made()], Changes((made(),))),
    "edited": ([entry()], [made(username="x")], Changes(change=(made(),))),
    "a reason": ([entry()], [made(reason="x")], Changes(change=(made(),))),
    "no label": ([entry()], [made(source="")], Changes(change=(made(),))),
    "an end by hand": ([entry()], [made(expires=PAST)], Changes(change=(made(),))),
    "a set unknown": ([OF_SET], [], Changes()),
    "a grant becomes the option's": (
        [entry(rights=(VIEW,))],
        [with_group(made(source=GRANT)), bound(VIEW, source=GRANT)],
        Changes(change=(with_group(made()),)),
    ),
    "a role for another": (
        [entry(rights=(EDIT,))],
        [with_group(made()), bound(VIEW)],
        Changes(unbind=(bound(VIEW),), bind=(bound(EDIT),)),
    ),
    "made anew": (
        [entry(rights=(VIEW,))],
        [with_group(OTHERS[1]), bound(VIEW)],
        Changes((with_group(OTHERS[1]),), (bound(VIEW),), (with_group(made()),), (bound(VIEW),)),
    ),
    "an owner that is gone": (
        [entry(rights=(VIEW,))],
        [with_group(made(uid="2")), bound(VIEW, owner="1")],
        Changes(unbind=(bound(VIEW),), bind=(bound(VIEW),)),
    ),
    "a grant": ([], [GRANTED, bound(VIEW, source=GRANT)], Changes()),
    "a grant, edited": (
        [],
        [GRANTED, dataclasses.replace(bound(VIEW, source=GRANT), role="admin")],
        Changes(unbind=(dataclasses.replace(bound(VIEW), role="admin"),)),
    ),
    "a grant without its group": (
        [],
        [made(source=GRANT), bound(VIEW, source=GRANT)],
        Changes(unbind=(bound(VIEW),)),
    ),
    "no mapping": ([], [bound(VIEW)], Changes(unbind=(bound(VIEW),))),
    "a person's": ([], [with_group(made(source="")), bound(VIEW)], Changes(unbind=(bound(VIEW),))),
    "a grant that has ended": ([], [ENDED, bound(VIEW)], Changes((ENDED,), (bound(VIEW),))),
    "a person's that has ended": ([], [made(source="", expires=PAST)], Changes((made(),))),
    "a fault": (None, [with_group(made()), bound(VIEW), made(OPS, "x")], Changes()),
    "a fault, and an end": (None, [ENDED, bound(VIEW)], Changes((ENDED,), (bound(VIEW),))),
    "a fault, and a forged binding": (
        None,
        [with_group(made()), dataclasses.replace(bound(VIEW), name="aws-iam-x")],
        Changes(unbind=(dataclasses.replace(bound(VIEW), name="aws-iam-x"),)),
    ),
}


def names(steps: Changes) -> list[list[str]]:
    kinds = (steps.end, steps.unbind, steps.change, steps.bind)
    return [[each.name for each in kind] for kind in kinds]


@pytest.mark.parametrize(("entries", "found", "steps"), STORY.values(), ids=STORY)
def test_given_what_is_declared_and_what_there_is_then_this_changes(
    entries: Any, found: list[Any], steps: Changes
):
    wanted, planned = plan(entries, *found)

    assert names(planned) == names(steps)
    assert (planned.change, planned.bind) == (steps.change, steps.bind)
    assert changes(wanted.access, wanted.access) == Changes()


def test_given_a_set_then_it_is_not_applied_until_its_role_is_known_and_follows_that():
    waiting, _ = plan([OF_SET])
    _, steps = plan([OF_SET], made(SSO_ROLE, SSO), set_role=f"{SSO_ROLE[:-16]}{'0' * 16}")

    assert waiting.not_applied == {
        "mappings[0]": "role unknown; log in once with this permission set, or set suffix"
    }
    assert names(steps)[0] == [SSO]
    assert [each.arn[-16:] for each in steps.change] == ["0" * 16]


@pytest.mark.parametrize(
    ("arn", "stored", "right"),
    [
        (DEV, "", CANONICAL),
        (DEV, CANONICAL, CANONICAL),
        (PATHED, CANONICAL, PATHED),
        ("dev", CANONICAL, ""),
    ],
)
def test_given_a_persons_mapping_then_only_its_status_becomes_what_the_authenticator_writes(
    arn: str, stored: str, right: str
):
    person = made(arn, "mine", "", canonical=stored)

    steps = plan([], person)[1]

    expected = dataclasses.replace(person, canonical=right)
    assert steps == Changes(change=(expected,) if stored != right else ())


NOON = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
LATER, SOONER = "2026-11-26T12:00:00.1Z", "2026-11-26T12:00:00Z"
DECLARES = parse(f"[{{arn: '{DEV}', expires: '{SOONER}'}}]", NOON)
LASTING = parse(f"[{{arn: '{DEV}'}}]", NOON)
FAULTY = parse(f"[{{arn: '{DEV}'}}, {{arn: x}}]", NOON)
ENDING_SET = parse(
    f"[{{permission-set: DevOps, account: '111122223333', expires: '{SOONER}'}}]", NOON
)


@pytest.mark.parametrize(
    ("found", "option", "over"),
    [
        (made(expires=SOONER), Declared(), True),
        (made(expires=LATER), Declared(), False),
        (made(), Declared(), False),
        (made(expires="tomorrow"), Declared(), False),
        (made(expires=LATER), DECLARES, True),
        (made(expires=SOONER), LASTING, False),
        (made(expires=SOONER), FAULTY, True),
        (made(name="theirs", expires=SOONER), LASTING, True),
        (made(name="theirs"), DECLARES, False),
        (made("no ARN", expires=SOONER), LASTING, True),
        (made(SSO_ROLE, SSO), ENDING_SET, True),
    ],
)
def test_given_a_mapping_then_a_good_options_entry_says_its_end_and_else_its_annotation(
    found: IdentityMapping, option: Declared, over: bool
):
    assert desired.ended([found], option, NOON) == ({found.name: NOON} if over else {})


# What holds of any option and any cluster.

ENDS, RIGHTS = st.sampled_from(["", PAST, FUTURE]), st.sampled_from([(), (VIEW,), (EDIT,)])
SOURCES = st.sampled_from([OPTION, GRANT, ""])
NAMES = st.sampled_from([NAME, name_of(OPS), "b", "c"])
ENTRIES = st.lists(
    st.builds(entry, st.sampled_from([DEV, OPS]), expires=ENDS, rights=RIGHTS),
    max_size=2,
    unique_by=lambda each: each.principal,
)
OPTIONS = st.builds(
    lambda entries, faults: Declared(tuple(entries), faults=faults),
    ENTRIES,
    st.sampled_from([(), (), (FAULT,)]),
)
MAPPINGS = st.builds(
    made,
    st.sampled_from([DEV, OPS, OPS.upper(), f"{ACCOUNT}:root", "no ARN"]),
    NAMES,
    SOURCES,
    expires=ENDS,
    uid=st.sampled_from("12"),
    canonical=st.sampled_from(["", CANONICAL]),
)
CLUSTERS = st.builds(
    lambda mappings, bindings: Access(tuple(mappings), tuple(bindings)),
    st.lists(MAPPINGS | MAPPINGS.map(with_group), max_size=4, unique_by=lambda each: each.name),
    st.lists(
        st.builds(bound, st.sampled_from([VIEW, EDIT]), NAMES, SOURCES, st.sampled_from("12")),
        max_size=4,
        unique_by=lambda each: each.key,
    ),
)


def applied(found: Access, steps: Changes) -> Access:
    """What there is once the cluster has made the changes."""
    there = {each.name: each for each in found.mappings}
    bound = {each.key: each for each in found.bindings}
    for each in steps.end:
        del there[each.name]
    for each in steps.change:
        uid = there[each.name].uid if each.name in there else "new"
        there[each.name] = dataclasses.replace(each, uid=uid)
    for each in steps.unbind:
        del bound[each.key]
    # What has an owner that is gone goes with it.
    uids = {each.uid for each in there.values()}
    bound = {key: each for key, each in bound.items() if each.owner in uids}
    for each in steps.bind:
        assert each.key not in bound
        bound[each.key] = dataclasses.replace(each, owner=there[each.mapping].uid)
    return Access(tuple(there.values()), tuple(bound.values()))


def content(access: Access) -> tuple[set[IdentityMapping], set[RoleBinding]]:
    return set(access.mappings), set(access.bindings)


@given(OPTIONS, CLUSTERS)
def test_given_any_option_and_cluster_then_the_changes_make_what_is_wanted_and_nothing_is_left(
    declared: Declared, found: Access
):
    wanted = desired.access(declared, found, {}, NOW).access

    after = applied(found, changes(found, wanted))

    assert content(after) == content(wanted)
    again = desired.access(declared, after, {}, NOW).access
    assert changes(after, again) == Changes()


@given(OPTIONS, CLUSTERS)
def test_given_any_option_and_cluster_then_nothing_of_others_goes_but_at_its_end(
    declared: Declared, found: Access
):
    wanted = desired.access(declared, found, {}, NOW)

    ended = desired.ended(found.mappings, declared, NOW)
    steady = OPTION if not declared.faults else "nothing"
    theirs = [
        dataclasses.replace(each, canonical=each.principal)
        for each in found.mappings
        if each.source != steady and each.name not in {*ended, *wanted.places}
    ]
    kept = [each for each in wanted.access.mappings if each.name not in wanted.places]
    assert kept == theirs
    declares = [e.name for e in declared.entries if not declared.faults and not e.has_ended(NOW)]
    assert {name for name in wanted.places if "/" not in name} == set(declares)
