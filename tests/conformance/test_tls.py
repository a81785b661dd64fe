"""The charm accepts the key pairs that Go's server and client accept, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.oracle import Oracle, running
from tests.fakes.certificates import pairs

from certificates import SERVER_NAME, verdict
from certificates.keypair import KeyPair, PairRefused

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def tls() -> Iterator[Oracle]:
    with running(HERE / "tls") as oracle:
        yield oracle


def of_go(tls: Oracle, pair: KeyPair) -> str:
    answer = tls.ask(
        {
            "certificate": pair.certificate,
            "key": pair.key,
            "ca": pair.ca,
            "name": SERVER_NAME,
        }
    )
    return "" if answer["accepted"] else answer["error"]


def of_charm(pair: KeyPair) -> str:
    try:
        verdict.check(pair)
    except PairRefused as reason:
        return str(reason)
    return ""


@pytest.mark.parametrize("case", pairs.CASES)
def test_given_a_pair_then_the_charm_accepts_it_if_go_does(tls: Oracle, case: str):
    pair = pairs.CASES[case][0]()

    reasons = of_go(tls, pair), of_charm(pair)

    assert (not reasons[0]) == (not reasons[1]), reasons
