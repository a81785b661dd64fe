"""What strangers choose may be long or many, and no reader takes more than a time in proportion.

Each text here has a million characters. A reader that takes the square of that needs an hour, and
the others a fraction of a second, so the limit on the processor's time tells them apart on any
machine.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from types import FrameType

import pytest
from tests.fakes.explaining import CLIENT, FORMAT, STS, log_line

from access import grants, problems, rbac, refusals
from access.declaration.declared import Declared
from access.declaration.entry import Entry
from access.mapping import IdentityMapping
from access.rbac import Binding

LONG = 1_000_000
SECONDS = 20.0


@pytest.fixture(autouse=True)
def limited() -> Iterator[None]:
    """Ends a test that takes too long of the processor."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TimeoutError("more than linear")

    former = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, former)


WORDS = {
    "one word": "a" * LONG,
    "a word that nearly has a mark": "k8s-aws-v1" * (LONG // 10),
    "many marks": "://@" * (LONG // 4),
    "many words": "a " * (LONG // 2),
    "brackets": "{[" * (LONG // 2),
    "quotes": '"' * LONG,
    "newlines": "\n" * LONG,
}


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize(
    "begin",
    [
        f"{STS}error during GET: lookup sts.",
        f"{STS}error from AWS (expected 200, got 403) on x endpoint. Body: ",
        f'{STS}error from AWS (expected 200, got 403) Body: {{"Error": {{"Code": "',
        FORMAT,
        "",
    ],
)
def test_given_a_long_error_then_its_refusal_is_read_in_a_time_in_proportion(
    begin: str, text: str
) -> None:
    logged = log_line("", f"{begin}{text}").decode()

    found = refusals.of_client([logged], CLIENT)

    assert found
    assert len(found.text) < 200


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_given_a_long_answer_then_its_secrets_are_left_out_in_a_time_in_proportion(text: str):
    assert refusals.redacted(f"{text} k8s-aws-v1.x end").endswith("… end")


@pytest.mark.parametrize("between", ["", "a", "aa", "ab"])
def test_given_a_username_with_many_fields_then_its_roles_are_found_in_a_time_in_proportion(
    between: str,
) -> None:
    username = f"{between}{{{{SessionName}}}}" * 5_000 + "x"
    subject = "a" * LONG
    bound = rbac.Bindings(
        [Binding("b", "", "ClusterRole", "view", users=(subject, f"{subject}x"))]
    )
    found = [grant.subject for grant in bound.of(username, ())]
    assert found == ([] if between == "ab" else [f"{subject}x"])


USER = "arn:aws:iam::111122223333:user/"


def twins(number: int) -> list[IdentityMapping]:
    return [IdentityMapping(f"m{n}", f"{USER}dev", "dev", f"{USER}dev") for n in range(number)]


def test_given_many_mappings_of_one_principal_then_they_are_checked_in_a_time_in_proportion():
    assert len(problems.find(twins(50_000))) == 50_000


def test_given_many_mappings_of_one_principal_then_they_are_revoked_in_a_time_in_proportion():
    entries = tuple(
        Entry(f"{USER}u{n}", f"{USER}u{n}", "u", (), "", None, f"[{n}]") for n in range(10_000)
    )

    assert len(grants.to_revoke(twins(10_000), f"{USER}dev", Declared(entries), "iam")) == 10_000
