"""Which key pairs are served.

`tests/conformance/test_authenticator.py` starts the authenticator with those that are.
"""

from __future__ import annotations

import datetime as dt

import hypothesis.strategies as st
import pytest
from hypothesis import given
from tests.fakes import damage
from tests.fakes.certificates import pairs
from tests.fakes.certificates.authority import root

from certificates import KeyPair, PairRefused, x509


def days_left(pair: KeyPair) -> int:
    left = x509.check(pair).ends - dt.datetime.now(dt.timezone.utc)
    return round(left.total_seconds() / 86400)


@pytest.mark.parametrize("case", pairs.CASES)
def test_given_a_pair_when_checked_then_it_is_accepted_or_the_reason_is_said(
    case: str,
):
    make, reason = pairs.CASES[case]
    if not reason:
        assert days_left(make()) == 365
        return
    with pytest.raises(PairRefused, match=f"^{reason}$"):
        x509.check(make())


def test_given_an_authority_that_ends_before_its_leaf_when_checked_then_its_end_counts():
    assert days_left(pairs.leaf(pairs.Change(pairs.ROOT, days=(-1, 3)))) == 3
    assert days_left(pairs.leaf(days=(-1, 3))) == 3


CERTIFICATE, KEY = root().issue(["aws-iam-authenticator.kube-system.svc"])
WHOLE = {"certificate": CERTIFICATE, "key": KEY, "ca": root().certificate}


@given(
    st.sampled_from(sorted(WHOLE)).flatmap(lambda k: damage.pem(WHOLE[k]).map(lambda t: (k, t)))
)
def test_given_a_damaged_pair_when_checked_then_it_is_good_or_refused_in_one_line(
    damaged: tuple[str, str],
):
    part, text = damaged
    said = ""
    try:
        x509.check(KeyPair(**{**WHOLE, part: text}))
    except PairRefused as refused:
        said = str(refused)
    assert said.isprintable()
    assert len(said) <= 300
    assert KEY.splitlines()[1] not in said
