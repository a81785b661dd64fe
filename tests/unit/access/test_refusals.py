"""Who was refused, by what the authenticator logs.

The errors are those of aws-iam-authenticator v0.7.18, in front of an STS that refuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.explaining import FORMAT, STS, sts_error
from tests.fakes.login_lines import BEGIN, KEY, SESSION, line, login
from tests.fakes.login_lines import ROLE as DEV

from access import refusals
from access.refusals import Cause, Refusal

ROLE = "arn:aws:iam::111122223333:role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
ALICE, BOB = (
    f"{ROLE.replace(':iam:', ':sts:').replace('role', 'assumed-role')}/{name}@example.com"
    for name in ("alice", "bob")
)
TOKEN = "k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8"
NOT_MAPPED = "identity is not mapped"

EARLY = "Signature not yet current: 20261126T091632Z is still later than 20261126T082132Z"
LATE = "Signature expired: 20261126T071632Z is now earlier than 20261126T080132Z"
UNKNOWN = "The security token included in the request is invalid."
REFUSED = "dial tcp 192.0.2.10:443: connect: connection refused on us-east-1 endpoint"
# An error and its cause. The ends of those that nobody compares are left out.
ERRORS = [
    (NOT_MAPPED, Cause.NOT_MAPPED),
    (f"ARN is not mapped: {ROLE}", Cause.NOT_MAPPED),
    (sts_error("SignatureDoesNotMatch", "The request signature we calculated"), Cause.SIGNATURE),
    (sts_error("SignatureDoesNotMatch", EARLY), Cause.CLOCK),
    (sts_error("SignatureDoesNotMatch", LATE), Cause.CLOCK),
    (sts_error("RequestExpired", "Request has expired."), Cause.CLOCK),
    (f"{FORMAT}X-Amz-Date parameter is expired (15 minute expiration)", Cause.CLOCK),
    (sts_error("InvalidClientTokenId", UNKNOWN), Cause.ACCESS_KEY),
    (sts_error("UnrecognizedClientException", UNKNOWN), Cause.ACCESS_KEY),
    (sts_error("ExpiredToken", "The security token"), Cause.EXPIRED),
    (sts_error("ExpiredTokenException", "The security token"), Cause.EXPIRED),
    (sts_error("Throttling", "Rate exceeded", 400), Cause.THROTTLED),
    (sts_error("ThrottlingException", "Rate exceeded", 400), Cause.THROTTLED),
    ('sts getCallerIdentity was throttled: {"Error": {"Code": "Throttling"}}', Cause.THROTTLED),
    (sts_error("AccessDenied", "no"), Cause.OTHER),
    (f"{STS}error during GET: {REFUSED}", Cause.UNREACHABLE),
    (f"{STS}error during GET: x Body: {{}}", Cause.UNREACHABLE),
    (f"{STS}invalid character '<' looking for beginning of value", Cause.UNREACHABLE),
    (f"{STS}error from AWS (expected 200, got 403). Body: <html>{{no}}", Cause.UNREACHABLE),
    (f"{FORMAT}partition {{aws}} does not support hostname sts.cn", Cause.ENDPOINT),
    (f"{FORMAT}global endpoint unsupported in partition aws-cn", Cause.ENDPOINT),
    (f'{FORMAT}unexpected hostname "sts.example.com" in pre-signed URL', Cause.ENDPOINT),
    (f"{FORMAT}invalid region identifier format provided: -", Cause.ENDPOINT),
    (f"{FORMAT}could not parse region for pre-signed URL x", Cause.ENDPOINT),
    (f"{FORMAT}token is too large", Cause.TOO_LARGE),
    (f"{FORMAT}input is empty", Cause.OTHER),
]


def parse(lines: Iterable[str]) -> list[Refusal]:
    return refusals.parse(lines)


def denied(error: str = NOT_MAPPED, arn: str = "", minute: int = 0, **fields: str) -> str:
    """A line in which the authenticator says why it refuses a login."""
    return line("access denied", arn, minute, **{"level": "warning", "error": error, **fields})


def answer(arn: str, session: str, **fields: str) -> str:
    """The line in which the authenticator says whom STS named."""
    return line("STS response", arn, 0, accesskeyid=KEY, session=session, **fields)


@pytest.mark.parametrize(("error", "cause"), ERRORS, ids=range(len(ERRORS)))
def test_given_an_error_of_the_authenticator_then_the_refusal_has_its_cause(
    error: str, cause: Cause
) -> None:
    (found,) = parse([denied(error)])
    assert (found.cause, found.count, found.last) == (cause, 1, BEGIN)
    assert found.text


def test_given_all_causes_then_an_error_is_known_for_each() -> None:
    assert {cause for _, cause in ERRORS} == set(Cause)


SAYS = "other: the authenticator says: "
SILENT = "STS out of reach: the pods get no answer from STS: "
MISSING = f"{FORMAT}token is missing expected {{}} prefix"
PROXY = "error from AWS (expected 200, got 407) on us-east-1 endpoint."
SYSTEM = "invalid username 'system:x' for mapper CRD"
EVIL = f"no; run: sh {TOKEN} https://x {'f' * 64}"
TEXTS = [
    (NOT_MAPPED, "not mapped: AWS confirms this identity, and no mapping has its ARN"),
    (f"{STS}error during GET: {REFUSED}", f"{SILENT}'{REFUSED}'"),
    (f"{STS}{PROXY} Body: <html>", f"{SILENT}'{PROXY}'"),
    (MISSING.format('"k8s-aws-v1."'), f"{SAYS}'{MISSING.format('…')}'"),
    (SYSTEM, f'{SAYS}"{SYSTEM}"'),
    (
        sts_error("IncompleteSignature", EVIL, 400),
        f"{SAYS}'IncompleteSignature: no; run: sh … … …'",
    ),
    (sts_error("InternalFailure", "", 500), f"{SAYS}'InternalFailure:'"),
]


@pytest.mark.parametrize(("error", "text"), TEXTS, ids=range(len(TEXTS)))
def test_given_an_error_then_the_text_explains_it_or_quotes_what_sts_or_the_way_to_it_says(
    error: str, text: str
) -> None:
    (found,) = parse([denied(error)])
    assert found.text == text


# Who it was.


def test_given_an_unmapped_role_then_the_refusal_has_its_arn_as_aws_spells_it_and_who() -> None:
    at, session = BEGIN.replace(minute=1), "alice@example.com"
    found = parse([answer(ALICE, session), denied(arn=ROLE, minute=1)])
    assert found == [Refusal(at, 1, Cause.NOT_MAPPED, ROLE, KEY, session=session)]
    # A word that is no ARN is left out.
    assert [each.arn for each in parse([denied(arn="a stranger")])] == [""]


@pytest.mark.parametrize(
    ("logged", "count"),
    [
        (denied(arn=ROLE), 1),
        (line("access granted", ROLE), 1),
        (denied(arn="a stranger"), 0),
        (denied("invalid username 'system:x'", arn=ROLE), 0),
    ],
)
def test_given_a_role_that_aws_has_confirmed_then_it_counts_if_at_most_a_mapping_lacks(
    logged: str, count: int
) -> None:
    found = [each.arn for each in refusals.confirmed([logged])]
    assert found == [ROLE] * count


def test_given_two_people_of_a_role_on_one_connection_then_each_is_refused_once() -> None:
    found = parse(
        [
            answer(ALICE, "alice@example.com"),
            answer(BOB, "bob@example.com"),
            denied(arn=ROLE, minute=1),
            denied(arn=ROLE, minute=2),
        ]
    )
    assert [(r.session, r.count) for r in found] == [
        ("bob@example.com", 1),
        ("alice@example.com", 1),
    ]


@pytest.mark.parametrize("skipped", [denied(error=""), "half a line", denied(client="b")])
def test_given_a_connection_then_its_newest_refusal_is_found(skipped: str) -> None:
    lines = [denied(f"{FORMAT}x", client="a"), denied(arn=ROLE, client="a"), skipped]

    assert refusals.of_client(lines, "a") == Refusal(BEGIN, 1, Cause.NOT_MAPPED, ROLE)
    assert refusals.of_client(lines, "c") is None


@pytest.mark.parametrize(
    ("logged", "quotes"),
    [
        (denied(f"{FORMAT}parameter aws-iam-check-1"), True),
        (denied(f"{FORMAT}parameter aws-iam-check-2"), False),
        (line("access granted", ROLE, error="aws-iam-check-1"), False),
        ("aws-iam-check-1", False),
    ],
)
def test_given_a_text_of_a_token_then_only_a_refusal_quotes_it(logged: str, quotes: bool) -> None:
    lines = ["half a line", denied("another"), logged]

    assert refusals.quotes(lines, "aws-iam-check-1") is quotes


@pytest.mark.parametrize("secret", ["k8s-aws-v1.aHR0", "&X-Amz-Signature=1", "http://x", "a@b"])
def test_given_a_word_that_may_be_secret_then_it_is_left_out_of_a_text(secret: str) -> None:
    assert refusals.redacted(f"dial  {secret}\n: refused") == "dial … : refused"


# How often.


def test_given_the_same_refusal_again_then_it_counts_and_the_newest_time_stands() -> None:
    (found,) = parse([denied(minute=minute) for minute in (5, 7, 6)])
    assert (found.count, found.last) == (3, BEGIN.replace(minute=7))


def test_given_several_refusals_then_the_newest_is_the_first() -> None:
    lines = [denied(minute=3), denied(f"{FORMAT}x", minute=9), denied(arn=ROLE, minute=5)]
    assert [r.last.minute for r in parse(lines)] == [9, 5, 3]


# What is no login, and what a stranger sends.


@pytest.mark.parametrize("fields", [{"session": "a\nb", "accesskeyid": "no key"}, {}])
def test_given_an_answer_of_sts_without_a_key_and_a_session_as_at_aws_then_there_is_none(
    fields: dict[str, str],
) -> None:
    (found,) = parse([line("STS response", SESSION, 0, **fields), denied(arn=DEV)])
    assert (found.arn, found.access_key_id, found.session) == (DEV, "", "")


GET = line("unexpected request method", "", level="error", time="2026-11-27T10:01:00Z")


@pytest.mark.parametrize(
    ("client", "seconds", "count"),
    [("10.1.0.1:38652", 15, 0), ("10.1.0.1:38652", 16, 1), ("10.1.0.1:38653", 15, 1)],
)
def test_given_a_login_that_check_has_announced_on_its_connection_then_it_is_nobodys(
    client: str, seconds: int, count: int
) -> None:
    time = f"2026-11-27T10:01:{seconds}Z"
    granted = line("access granted", DEV, time=time, client=client)
    assert len(list(refusals.confirmed([GET, granted]))) == count


FORGED = {
    "an error": line("access granted", DEV, level="error"),
    "what STS answered, without a decision": line("STS response", SESSION, client="10.1.0.2:1"),
    "another path": line("access granted", DEV, path="/metrics"),
    "a time without a zone": line("access granted", DEV, time="2026-11-27T10:01:00"),
    "no client": line("access granted", DEV, client=""),
    "a session that is no text": line("access granted", DEV, session=[DEV]),
    "a library's line": json.dumps({"msg": "access granted", "arn": DEV}),
    "text format": f'time="2026-11-27T10:01:00Z" level=info msg="access granted" arn="{DEV}"',
    "a space ahead": " " + line("access granted", DEV),
    "deep nesting": '{"msg": "access granted", "x": ' + "[" * 9999,
    "half a line": line("access granted", DEV)[:-9],
    "a quotation": json.dumps({"msg": line("access granted", DEV)}),
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED)
def test_given_a_line_that_is_no_login_then_nobody_else_was_let_in(text: str) -> None:
    lines = [text, *login(), text]
    assert [*refusals.confirmed(lines)] == [*refusals.confirmed(login())] != []


CHECK = 'non-whitelisted query parameter "aws-iam-check-0123456789abcdef"'
SKIPPED = {
    "no error": denied(error=""),
    "a grant": line("access granted", ROLE),
    "a denial of another level": denied(level="info"),
    "another message": line("could not parse request body", ROLE, error=NOT_MAPPED),
    "the login of check": denied(f"{FORMAT}{CHECK}"),
}


@pytest.mark.parametrize("skipped", SKIPPED.values(), ids=SKIPPED)
def test_given_a_line_that_is_no_refusal_then_it_is_skipped_and_the_next_is_read(skipped: str):
    assert [r.arn for r in parse([skipped, denied(arn=ROLE), skipped])] == [ROLE]


@given(st.text())
def test_given_any_text_in_a_token_then_it_is_neither_another_refusal_nor_quoted(sent: str):
    quoted = f'{FORMAT}unexpected hostname "{sent}" in pre-signed URL'
    (found,) = parse(denied(quoted).split("\n"))
    assert (found.cause, found.arn) == (Cause.ENDPOINT, "")
    assert found.text == parse([denied(f"{FORMAT}unexpected hostname ")])[0].text


IMITATIONS = [
    f'"}}\n{denied(arn=ROLE)}\n',
    NOT_MAPPED,
    f'", "arn": "{ROLE}", "error": "{NOT_MAPPED}", "x": "',
]


@pytest.mark.parametrize("sent", IMITATIONS)
def test_given_a_token_that_imitates_a_refusal_then_it_is_another_refusal_only(sent: str):
    logged = denied(f'{FORMAT}parse "{sent}": net/url: invalid control character in URL')
    found = parse(logged.split("\n"))
    assert [(r.cause, r.arn) for r in found] == [(Cause.OTHER, "")]


def test_given_a_secret_in_an_error_then_the_refusal_does_not_quote_it() -> None:
    secret = f"{TOKEN}5ec7e7"
    for error in (f"{STS}error during GET: {secret}", sts_error("5ec7e7@", secret), secret):
        (found,) = parse([denied(error)])
        assert "5ec7e7" not in repr(found)


@given(st.lists(st.text() | st.binary().map(lambda data: data.decode(errors="replace"))))
def test_given_any_lines_then_none_is_a_refusal(lines: list[str]) -> None:
    assert parse(lines) == []


@given(st.integers(0, 300), st.text(max_size=3), st.integers(0, 3))
def test_given_a_damaged_line_then_it_is_one_refusal_or_none(place: int, new: str, width: int):
    whole = denied(arn=ROLE)
    damaged = whole[:place] + new + whole[place + width :]
    assert sum(refusal.count for refusal in parse([damaged, whole])) in (1, 2)
