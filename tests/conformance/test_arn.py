"""The charm's reading of a mapping's ARN, and the authenticator's own."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.conformance.oracle import Oracle, running
from tests.fakes.arns import ACCOUNT, LOGINS, TEXTS

from access import arn

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODULE = "sigs.k8s.io/aws-iam-authenticator"
many = settings(
    max_examples=6000,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def authenticator() -> Iterator[Oracle]:
    with running(HERE / "arn") as oracle:
        yield oracle


def canonical(text: str) -> str:
    """Return what the charm takes for the canonical form, empty if it refuses the text."""
    try:
        return arn.canonicalize(text)
    except ValueError:
        return ""


@many
@given(text=TEXTS)
def test_given_any_text_then_the_charm_reads_it_as_the_authenticator_does(
    authenticator: Oracle, text: str
):
    assert canonical(text) == authenticator.ask({"arn": text}).get("canonical", "")


@many
@given(login=LOGINS)
def test_given_any_login_then_a_mapping_of_its_arn_matches_it(authenticator: Oracle, login: str):
    assert authenticator.ask({"arn": login})["canonical"] == canonical(login)
    assert arn.mismatch(login) is None


def test_given_any_letter_then_its_lower_case_is_that_of_the_authenticator(authenticator: Oracle):
    letters = [c for c in map(chr, range(sys.maxunicode + 1)) if c.lower() != c]
    text = f"arn:aws:iam::{ACCOUNT}:user/{''.join(letters)}"

    assert len(letters) > 1000
    assert canonical(text) == authenticator.ask({"arn": text})["canonical"]


def test_then_the_authenticator_is_the_one_that_the_testbed_runs():
    used, run = (
        re.findall(rf"{MODULE} (v\S+)", (ROOT / path / "go.mod").read_text())
        for path in ("tests/conformance/arn", "testbed/src/testbed/programs/authenticator")
    )

    assert used == run
