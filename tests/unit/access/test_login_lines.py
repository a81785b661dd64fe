"""Which lines of the authenticator's log are about a login, and whose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes.login_lines import BEGIN, END, KEY, ROLE, SESSION, line, login

from access import login_lines


def let_in(*lines: str) -> list[tuple[str, str, str]]:
    """The ARN, the access key and the session of each login that was let in."""
    found = login_lines.decisions(lines, BEGIN, END)
    granted = [(d.arn, answer) for d, answer in found if d.msg == login_lines.GRANTED]
    return [(arn, a.access_key_id if a else "", a.session_name if a else "") for arn, a in granted]


def test_given_logins_of_a_role_then_each_answer_of_sts_is_for_one_on_its_connection() -> None:
    alice, bob = login(session="alice"), login(session="bob")
    elsewhere = line("access granted", ROLE, client="10.1.0.2:1")

    found = let_in(*alice, bob[0], elsewhere, bob[1])

    assert found == [(ROLE, KEY, "alice"), (ROLE, "", ""), (ROLE, KEY, "bob")]


@pytest.mark.parametrize(
    ("time", "count"), [("09:58:59", 0), ("09:59:00", 1), ("11:01:00", 1), ("11:01:01", 0)]
)
def test_given_a_machine_whose_clock_is_a_minute_off_then_its_logins_count(
    time: str, count: int
) -> None:
    assert len(let_in(line("access granted", ROLE, time=f"2026-11-27T{time}Z"))) == count


CHECK = line("unexpected request method", "", level="error", time="2026-11-27T10:01:00Z")


@pytest.mark.parametrize(
    ("client", "seconds", "count"),
    [("10.1.0.1:38652", 15, 0), ("10.1.0.1:38652", 16, 1), ("10.1.0.1:38653", 15, 1)],
)
def test_given_a_login_that_check_has_announced_on_its_connection_then_it_is_nobodys(
    client: str, seconds: int, count: int
) -> None:
    time = f"2026-11-27T10:01:{seconds}Z"
    assert len(let_in(CHECK, line("access granted", ROLE, time=time, client=client))) == count


FORGED = {
    "a refusal": line("access denied", ROLE, level="warning", error="identity is not mapped"),
    "an error": line("access granted", ROLE, level="error"),
    "what STS answered, without a decision": line("STS response", SESSION, client="10.1.0.2:1"),
    "another path": line("access granted", ROLE, path="/metrics"),
    "another day": line("access granted", ROLE, time="2026-11-20T10:00:00Z"),
    "the future": line("access granted", ROLE, time="2026-11-27T12:00:00Z"),
    "a time without a zone": line("access granted", ROLE, time="2026-11-27T10:01:00"),
    "no client": line("access granted", ROLE, client=""),
    "a session that is no text": line("access granted", ROLE, session=[ROLE]),
    "a library's line": json.dumps({"msg": "access granted", "arn": ROLE}),
    "text format": f'time="2026-11-27T10:01:00Z" level=info msg="access granted" arn="{ROLE}"',
    "a space ahead": " " + line("access granted", ROLE),
    "deep nesting": '{"msg": "access granted", "x": ' + "[" * 9999,
    "half a line": line("access granted", ROLE)[:-9],
    "a quotation": json.dumps({"msg": line("access granted", ROLE)}),
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED)
def test_given_a_line_that_is_no_login_then_nobody_else_was_let_in(text: str) -> None:
    assert let_in(text, *login(), text) == let_in(*login())


@pytest.mark.parametrize("fields", [{"session": "a\nb", "accesskeyid": "no key"}, {}])
def test_given_an_answer_of_sts_without_a_key_and_a_session_as_at_aws_then_there_is_none(
    fields: dict[str, Any],
) -> None:
    assert let_in(line("STS response", SESSION, **fields), login()[1]) == [(ROLE, "", "")]
