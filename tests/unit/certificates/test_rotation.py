"""How a new authority replaces the old one: the table in docs/how-to/change-the-authority.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.certificates.authority import root

from certificates import SERVER_NAME, pem, rotation
from certificates.keypair import KeyPair
from certificates.rotation import Plan
from errors import Waiting

PAGE = Path(__file__).parents[3] / "docs/how-to/change-the-authority.md"
OLD_CA, NEW_CA = root().certificate, root("new").certificate
BOTH = pem.ca_bundle(OLD_CA, NEW_CA)
OLD, RENEWED = (pem.key_pair(*root().issue([SERVER_NAME]), OLD_CA) for _ in range(2))
NEW = pem.key_pair(*root("new").issue([SERVER_NAME]), NEW_CA)
EXPIRED = pem.key_pair(*root().issue([SERVER_NAME], days=(-9, -1)), OLD_CA)
EARLY = pem.key_pair(*root().issue([SERVER_NAME], days=(1, 9)), OLD_CA)
UNITS: tuple[str, ...] = ("aws-iam/0", "aws-iam/1")
# What each unit has acknowledged.
Trust = dict[str, str]

# By the table's words: what all units trust, and what the pods serve.
TRUSTED = {"old": OLD_CA, "old, new": BOTH, "new": NEW_CA}
SERVED = {"old": OLD, "new": NEW}


def all_trust(ca: str) -> Trust:
    return dict.fromkeys(UNITS, ca)


def plan(trusted: str, current: KeyPair | None, issued: KeyPair | None, by_unit: Trust) -> Plan:
    """The plan where each unit has acknowledged the bundle that ``by_unit`` says."""

    def not_trusting(bundle: str) -> list[str]:
        return [unit for unit, found in by_unit.items() if found != bundle]

    bundle = rotation.bundle(trusted, current, issued)
    return rotation.plan(bundle, current, issued, not_trusting)


def tabled() -> dict[str, tuple[str, str]]:
    """Return what all units trust and what the pods serve in each state of the page's table."""
    rows = re.findall(r"^\| (\w) \| ([^|]+) \| ([^|]+) \| (.*)\|$", PAGE.read_text(), re.MULTILINE)
    ends = [leads_on.startswith("done") for *_, leads_on in rows]
    assert ends == [False] * (len(rows) - 1) + [True]
    return {state: (trusted, served) for state, trusted, served, _ in rows}


STATES = tabled()

# In each state of the table, while the authority issues NEW: before the units have
# acknowledged what the state lacks, and after.
TABLE = [
    ("a", all_trust(OLD_CA), Plan(OLD, pending_trust=UNITS)),
    ("a", {**all_trust(OLD_CA), UNITS[0]: BOTH}, Plan(OLD, (UNITS[1],))),
    ("b", all_trust(BOTH), Plan(NEW, can_drop_old_ca=True)),
    ("c", all_trust(BOTH), Plan(NEW, can_drop_old_ca=True)),
    ("d", all_trust(BOTH), Plan(NEW)),
    ("d", all_trust(NEW_CA), Plan(NEW)),
]


@pytest.mark.parametrize(("state", "acknowledged", "expected"), TABLE)
def test_given_a_state_of_the_table_when_planned_then_the_plan_leads_to_the_next(
    state: str, acknowledged: Trust, expected: Plan
):
    trusted, served = STATES[state]

    assert plan(TRUSTED[trusted], SERVED[served], NEW, acknowledged) == expected


def test_given_the_table_when_its_states_are_walked_then_the_plans_lead_along_them():
    trusted, served = OLD_CA, OLD
    walked: list[tuple[str, KeyPair]] = [(trusted, served)]
    # "every unit says that it trusts both"
    trusted = rotation.bundle(trusted, served, NEW)
    walked.append((trusted, served))
    # "pods are replaced, one by one"
    served = plan(trusted, served, NEW, all_trust(trusted)).pair
    assert served
    walked.append((trusted, served))
    # "the last old pod has ended"
    assert plan(trusted, served, NEW, all_trust(trusted)).can_drop_old_ca
    trusted = served.ca
    walked.append((trusted, served))

    assert walked == [(TRUSTED[ca], SERVED[pair]) for ca, pair in STATES.values()]
    assert {state for state, *_ in TABLE} == set(STATES)


def test_given_units_that_do_not_trust_it_yet_when_planned_then_the_blocker_names_them():
    waiting = "^waiting for aws-iam/0, aws-iam/1 to trust the new authority$"
    with pytest.raises(Waiting, match=waiting) as raised:
        plan(OLD_CA, OLD, NEW, all_trust(OLD_CA)).check_trusted()
    assert raised.value.announced
    plan(BOTH, OLD, NEW, all_trust(BOTH)).check_trusted()


@pytest.mark.parametrize(
    ("trusted", "current", "issued", "expected"),
    [
        pytest.param("", None, None, Plan(None), id="nothing yet"),
        pytest.param("", None, OLD, Plan(OLD), id="first deployment"),
        pytest.param(OLD_CA, OLD, OLD, Plan(OLD), id="at rest"),
        pytest.param(OLD_CA, OLD, RENEWED, Plan(RENEWED), id="a new leaf"),
        pytest.param(OLD_CA, OLD, None, Plan(OLD), id="no provider"),
        pytest.param(BOTH, OLD, None, Plan(OLD), id="the provider leaves on the way"),
        pytest.param(BOTH, OLD, OLD, Plan(OLD, (), True), id="the old authority returns"),
        pytest.param(BOTH, None, NEW, Plan(NEW, (), True), id="the Secret was deleted"),
        pytest.param(OLD_CA, EXPIRED, NEW, Plan(NEW, (), True), id="the old one expired"),
    ],
)
def test_given_nothing_good_of_another_authority_when_planned_then_no_unit_is_waited_for(
    trusted: str, current: KeyPair | None, issued: KeyPair | None, expected: Plan
):
    assert plan(trusted, current, issued, all_trust("nothing of this")) == expected


def test_given_a_clock_that_is_behind_when_planned_then_units_are_waited_for():
    assert plan(OLD_CA, EARLY, NEW, all_trust(OLD_CA)).pending_trust == UNITS


PAIRS = st.sampled_from([None, OLD, NEW, RENEWED])
BUNDLES = st.sampled_from(["", OLD_CA, NEW_CA, BOTH])


@given(BUNDLES, PAIRS, PAIRS, st.lists(BUNDLES, min_size=2, max_size=2))
def test_given_any_state_when_planned_then_no_pod_serves_what_a_unit_does_not_trust(
    trusted: str, current: KeyPair | None, issued: KeyPair | None, by_unit: list[str]
):
    acknowledged: Trust = dict(zip(UNITS, by_unit, strict=True))
    found = plan(trusted, current, issued, acknowledged)

    known = [trusted, *(pair.ca for pair in (current, issued) if pair)]
    bundle = rotation.bundle(trusted, current, issued)
    assert bundle == pem.ca_bundle(*known)
    if current and found.pair and found.pair.ca != current.ca:
        assert set(by_unit) == {bundle}
    # Planned again once that is trusted, it is the same.
    assert plan(bundle, current, issued, acknowledged) == found
