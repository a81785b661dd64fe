"""Who was refused, by what the authenticator logs.

The errors are those of aws-iam-authenticator v0.7.18, in front of an STS that refuses.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.explaining import CLIENT, FORMAT, STS, sts_error

from access import refusals
from access.refusals import Cause, Refusal

ACCOUNT = "111122223333"
MALLORY = f"arn:aws:iam::{ACCOUNT}:user/mallory"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081"
ALICE, BOB = (
    f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_DevOps_1a2b3c4d5e6f7081/{name}@example.com"
    for name in ("alice", "bob")
)
TOKEN = "k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8"
NOT_MAPPED = "identity is not mapped"

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method."
)
EARLY = (
    "Signature not yet current: 20261126T091632Z is still later than 20261126T082132Z "
    "(20261126T081632Z + 5 min.)"
)
LATE = (
    "Signature expired: 20261126T071632Z is now earlier than 20261126T080132Z "
    "(20261126T081632Z - 15 min.)"
)
EXPIRED = "The security token included in the request is expired"
UNKNOWN = "The security token included in the request is invalid."
REFUSED = "dial tcp 192.0.2.10:443: connect: connection refused on us-east-1 endpoint"
NO_HOST = (
    "dial tcp: lookup sts.us-east-1.amazonaws.com on 10.152.183.10:53: no such host on us-east-1 "
    "endpoint"
)
UNTRUSTED = (
    "tls: failed to verify certificate: x509: certificate signed by unknown authority on "
    "us-east-1 endpoint"
)

PROXY = "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect"
ERRORS = [
    (NOT_MAPPED, Cause.NOT_MAPPED),
    (f"ARN is not mapped: {MALLORY}", Cause.NOT_MAPPED),
    (sts_error("SignatureDoesNotMatch", MISMATCH), Cause.SIGNATURE),
    (sts_error("SignatureDoesNotMatch", EARLY), Cause.CLOCK),
    (sts_error("SignatureDoesNotMatch", LATE), Cause.CLOCK),
    (
        (
            f"{FORMAT}X-Amz-Date parameter is expired (15 minute expiration) "
            "2026-11-26 07:16:32 +0000 UTC"
        ),
        Cause.CLOCK,
    ),
    (sts_error("InvalidClientTokenId", UNKNOWN), Cause.ACCESS_KEY),
    (sts_error("ExpiredToken", EXPIRED), Cause.EXPIRED),
    (f"{STS}error during GET: {REFUSED}", Cause.CONNECTION),
    (f"{STS}error during GET: {NO_HOST}", Cause.DNS),
    (f"{STS}error during GET: {UNTRUSTED}", Cause.TLS),
    (f"{STS}error during GET: {PROXY}: connection refused on x endpoint", Cause.PROXY),
    (f"{STS}error during GET: Forbidden on us-east-1 endpoint", Cause.PROXY_REFUSES),
    (f"{STS}error during GET: context deadline exceeded on x endpoint", Cause.TIMEOUT),
    (f"{STS}invalid character '<' looking for beginning of value", Cause.UNREACHABLE),
    (
        f"{STS}error from AWS (expected 200, got 403) on us-east-1 endpoint. Body: <html>{{no}}",
        Cause.IMPOSTOR,
    ),
    (sts_error("RequestExpired", "Request has expired."), Cause.CLOCK),
    (sts_error("UnrecognizedClientException", UNKNOWN), Cause.ACCESS_KEY),
    (sts_error("ExpiredTokenException", EXPIRED), Cause.EXPIRED),
    (sts_error("IncompleteSignature", "no", 400), Cause.MALFORMED),
    (sts_error("InternalFailure", "", 500), Cause.FAILING),
    (sts_error("ServiceUnavailable", "", 503), Cause.FAILING),
    (
        'sts getCallerIdentity was throttled: {"Error": {"Code": "Throttling"}}',
        Cause.THROTTLED,
    ),
    (sts_error("Throttling", "Rate exceeded", 400), Cause.THROTTLED),
    (sts_error("ThrottlingException", "Rate exceeded", 400), Cause.THROTTLED),
    (
        f"{FORMAT}partition {{aws}} does not support hostname sts.cn-north-1.amazonaws.com.cn",
        Cause.ENDPOINT,
    ),
    (f"{FORMAT}global endpoint unsupported in partition aws-cn", Cause.ENDPOINT),
    (f'{FORMAT}unexpected hostname "sts.example.com" in pre-signed URL', Cause.ENDPOINT),
    (f"{FORMAT}invalid region identifier format provided: -", Cause.ENDPOINT),
    (
        f"{FORMAT}could not parse region for pre-signed URL x, invalid host format: x",
        Cause.ENDPOINT,
    ),
    (f'{FORMAT}token is missing expected "k8s-aws-v1." prefix', Cause.MALFORMED),
    (f"{FORMAT}token is too large", Cause.TOO_LARGE),
    (f"{FORMAT}illegal base64 data at input byte 0", Cause.MALFORMED),
    (
        f"{FORMAT}client did not sign the x-k8s-aws-id header in the pre-signed URL",
        Cause.MALFORMED,
    ),
    (
        (
            "invalid username 'system:x' for mapper CRD: username must not begin with with the "
            "following prefixes: [system:]"
        ),
        Cause.USERNAME,
    ),
    (
        (
            "mapper CRD renderTemplates error: error rendering username template "
            '"{{EC2PrivateDNSName}}": SessionName did not contain an instance id'
        ),
        Cause.TEMPLATE,
    ),
    (sts_error("AccessDenied", "no"), Cause.OTHER),
    ("mapper CRD Map error: Index with name canonicalARN does not exist", Cause.OTHER),
]


def parse(lines: Iterable[str]) -> list[Refusal]:
    """The refusals of a minute."""
    return refusals.parse(lines, at(0), at(59))


def line(msg: str = "access denied", second: int = 0, **fields: object) -> str:
    """A line as the authenticator logs it."""
    common = {
        "client": CLIENT,
        "level": "warning",
        "method": "POST",
        "msg": msg,
        "path": "/authenticate",
        "time": f"2026-11-26T08:16:{second:02}Z",
    }
    return json.dumps({**common, **fields}, sort_keys=True)


def at(second: int) -> datetime.datetime:
    return datetime.datetime(2026, 11, 26, 8, 16, second, tzinfo=datetime.timezone.utc)


def answer(arn: str, key: str, session: str = "", second: int = 0, client: str = CLIENT) -> str:
    """The line in which the authenticator says whom STS named."""
    who = {"arn": arn, "accesskeyid": key, "session": session, "userid": "AIDA"}
    return line("STS response", second, client=client, level="info", **who)


@pytest.mark.parametrize(("error", "cause"), ERRORS, ids=range(len(ERRORS)))
def test_given_an_error_of_the_authenticator_then_the_refusal_has_its_cause(
    error: str, cause: Cause
) -> None:
    (found,) = parse([line(error=error)])
    assert (found.cause, found.count, found.last) == (cause, 1, at(0))
    assert found.text


def test_given_all_causes_then_an_error_is_known_for_each() -> None:
    assert {cause for _, cause in ERRORS} == set(Cause)


def test_given_sts_out_of_reach_then_the_text_says_why() -> None:
    (found,) = parse([line(error=f"{STS}error during GET: {NO_HOST}")])
    assert found.text.startswith("the pods get no answer from STS: ")
    assert found.text.endswith("no such host on us-east-1 endpoint")


def test_given_a_token_that_is_too_large_then_the_text_says_what_helps() -> None:
    (found,) = parse([line(error=f"{FORMAT}token is too large")])
    assert (found.cause.value, found.text) == (
        "token too large",
        (
            "aws-iam-authenticator takes 4,096 characters: use fewer or shorter session tags and "
            "policies, a role assumed directly, or long-term keys of a user"
        ),
    )


def test_given_something_else_that_answers_then_the_text_says_so() -> None:
    error = f"{STS}error from AWS (expected 200, got 407) on us-east-1 endpoint. Body: <html>"
    (found,) = parse([line(error=error)])
    assert found.text.endswith("something else answers with 407")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            sts_error("InvalidClientTokenId", UNKNOWN),
            "AWS does not know the access key: deleted, inactive, or of another partition",
        ),
        (
            sts_error("SignatureDoesNotMatch", EARLY),
            "the token is older than 15 minutes, or from the future: compare the person's clock",
        ),
        ("mapper CRD Map error: Index does not exist", "see the authenticator's log"),
        (sts_error("AccessDenied", "no"), "see the authenticator's log: 403 AccessDenied"),
        (
            sts_error("InternalFailure", "", 500),
            "STS answers with an error of its own: 500 InternalFailure",
        ),
    ],
)
def test_given_an_error_of_sts_then_the_text_explains_it_or_quotes_its_code(
    error: str, text: str
) -> None:
    (found,) = parse([line(error=error)])
    assert found.text == text


# Who it was.


def test_given_an_unmapped_user_then_the_refusal_has_their_arn_and_access_key() -> None:
    found = parse(
        [answer(MALLORY, "AKIAMALLORY0TESTBED0"), line(error=NOT_MAPPED, arn=MALLORY, second=1)]
    )
    text = "AWS confirms this identity, and no mapping has its ARN"
    assert found == [Refusal(at(1), 1, Cause.NOT_MAPPED, MALLORY, "AKIAMALLORY0TESTBED0")]
    assert found[0].text == text


def test_given_an_unmapped_role_then_the_refusal_has_arn_and_session_as_aws_spells_them() -> None:
    (found,) = parse([answer(ALICE, "ASIAALICE00000000000", "alice@example.com"), denied_role()])
    assert (found.arn, found.session) == (ROLE, "alice@example.com")
    assert found.access_key_id == "ASIAALICE00000000000"


def denied_role(second: int = 1, client: str = CLIENT) -> str:
    return line(error=NOT_MAPPED, arn=ROLE, second=second, client=client)


def test_given_two_people_of_a_role_on_one_connection_then_each_is_refused_once() -> None:
    found = parse(
        [
            answer(ALICE, "ASIAALICE00000000000", "alice@example.com"),
            answer(BOB, "ASIABOB0000000000000", "bob@example.com"),
            denied_role(1),
            denied_role(2),
        ]
    )
    assert [(r.session, r.count) for r in found] == [
        ("bob@example.com", 1),
        ("alice@example.com", 1),
    ]


def test_given_a_login_that_was_granted_before_then_a_refusal_does_not_have_its_session() -> None:
    found = parse(
        [
            answer(ALICE, "ASIAALICE00000000000", "alice@example.com"),
            line("access granted", level="info", arn=ROLE, username="devops", groups=["view"]),
            answer(BOB, "ASIABOB0000000000000", "bob@example.com"),
            denied_role(),
        ]
    )
    assert [r.session for r in found] == ["bob@example.com"]


def test_given_another_connection_then_a_refusal_does_not_have_its_session() -> None:
    elsewhere = answer(ALICE, "ASIAALICE00000000000", "alice@example.com", client="10.1.0.2:1")
    assert [r.session for r in parse([elsewhere, denied_role()])] == [""]


def test_given_a_log_that_begins_between_the_two_lines_then_the_refusal_has_the_arn() -> None:
    assert [(r.arn, r.access_key_id) for r in parse([denied_role()])] == [(ROLE, "")]


def test_given_a_machine_whose_clock_is_some_seconds_off_then_its_refusal_counts() -> None:
    early, late = ("2026-11-26T08:15:01Z", "2026-11-26T08:17:58Z")
    found = parse([line(error=NOT_MAPPED, arn=ROLE, time=time) for time in (early, late)])
    assert [r.count for r in found] == [2]


@pytest.mark.parametrize("skipped", [line(), "half a line", line(error="x", client="b")])
def test_given_a_connection_then_its_newest_refusal_is_found(skipped: str) -> None:
    lines = [line(error=f"{FORMAT}x", client="a"), denied_role(client="a"), skipped]

    assert refusals.of_client(lines, "a") == Refusal(at(1), 1, Cause.NOT_MAPPED, ROLE)
    assert refusals.of_client(lines, "c") is None


@pytest.mark.parametrize(
    ("logged", "quotes"),
    [
        (line(error=f"{FORMAT}parameter aws-iam-check-1"), True),
        (line(error=f"{FORMAT}parameter aws-iam-check-2"), False),
        (line("access granted", error="aws-iam-check-1", level="info"), False),
        ("aws-iam-check-1", False),
    ],
)
def test_given_a_text_of_a_token_then_only_a_refusal_quotes_it(logged: str, quotes: bool) -> None:
    lines = ["half a line", line(error="another"), logged]

    assert refusals.quotes(lines, "aws-iam-check-1") is quotes


@pytest.mark.parametrize("secret", ["k8s-aws-v1.aHR0", "&X-Amz-Signature=1", "http://x", "a@b"])
def test_given_a_word_that_may_be_secret_then_it_is_left_out_of_a_text(secret: str) -> None:
    assert refusals.redacted(f"dial  {secret}\n: refused") == "dial … : refused"


# How often.


def test_given_the_same_refusal_again_then_it_counts_and_the_newest_time_stands() -> None:
    (found,) = parse([denied_role(5), denied_role(7), denied_role(6)])
    assert (found.count, found.last) == (3, at(7))


def test_given_several_refusals_then_the_newest_is_the_first() -> None:
    lines = [denied_role(3), line(error=f"{FORMAT}token is too large", second=9)]
    lines.append(line(error=NOT_MAPPED, arn=MALLORY, second=5))
    assert [r.last for r in parse(lines)] == [at(9), at(5), at(3)]


# What is not a refusal, and what a stranger sends.


SKIPPED = {
    "half a line": denied_role()[:-9],
    "the other half": denied_role()[20:],
    "the banner": 'Authenticator Version: "v0.7.18", ""',
    "text format": f'time="2026-11-26T08:16:31Z" level=warning msg="access denied" arn="{ROLE}"',
    "klog": "E1126 08:16:31.000000       1 reflector.go:205] Failed to watch",
    "a list": "[]",
    "null": "null",
    "a number": "1",
    "deep nesting": "[" * 100_000,
    "a deep field": '{"time": "2026-11-26T08:16:31Z", "msg": "access denied", "x": ' + "[" * 9999,
    "binary": "\x00\xff\udcff\ud800",
    "no error": line(),
    "an error that is no text": line(error=5),
    "an ARN that is no text": line(error=NOT_MAPPED, arn=[ROLE]),
    "no time": line(error=NOT_MAPPED, time=""),
    "a time without a zone": line(error=NOT_MAPPED, time="2026-11-26T08:16:31"),
    "no such day": line(error=NOT_MAPPED, time="2026-02-30T08:16:31Z"),
    "a grant": line("access granted", arn=ROLE),
    "a denial of another level": line(error=NOT_MAPPED, arn=ROLE, level="info"),
    "an unknown level": line(error=NOT_MAPPED, arn=ROLE, level="error"),
    "another path": line(error=NOT_MAPPED, arn=ROLE, path="/"),
    "no client": line(error=NOT_MAPPED, arn=ROLE, client=""),
    "a tab ahead": "\t" + line(error=NOT_MAPPED, arn=ROLE),
    "a space ahead": " " + line(error=NOT_MAPPED, arn=ROLE),
    "a klog line's text": json.dumps(
        {"msg": "access denied", "error": NOT_MAPPED, "arn": ROLE, "time": "2026-11-26T08:16:31Z"}
    ),
    "the year 2099": line(error=NOT_MAPPED, arn=ROLE, time="2099-01-01T00:00:00Z"),
    "an hour from now": line(error=NOT_MAPPED, arn=ROLE, time="2026-11-26T09:16:31Z"),
    "before the last look": line(error=NOT_MAPPED, arn=ROLE, time="2026-11-26T07:16:31Z"),
    "another message": line("could not parse request body", error=NOT_MAPPED),
    "the login of check": line(
        error=f'{FORMAT}non-whitelisted query parameter "aws-iam-check-0123456789abcdef"'
    ),
}


@pytest.mark.parametrize("skipped", SKIPPED.values(), ids=SKIPPED)
def test_given_a_line_that_is_no_refusal_then_it_is_skipped_and_the_next_is_read(
    skipped: str,
) -> None:
    assert [r.arn for r in parse([skipped, denied_role(), skipped])] == [ROLE]


@given(st.text())
def test_given_any_text_in_a_token_then_it_is_neither_another_refusal_nor_quoted(
    sent: str,
) -> None:
    quoted = f'{FORMAT}unexpected hostname "{sent}" in pre-signed URL'
    (found,) = parse(line(error=quoted).split("\n"))
    assert (found.cause, found.arn) == (Cause.ENDPOINT, "")
    assert found.text == parse([line(error=f"{FORMAT}unexpected hostname ")])[0].text


@pytest.mark.parametrize(
    "sent",
    [
        f'"}}\n{denied_role()}\n',
        f"\u0085{denied_role()}",
        f"\u2028{denied_role()}",
        NOT_MAPPED,
        f'", "arn": "{ROLE}", "error": "{NOT_MAPPED}", "x": "',
    ],
)
def test_given_a_token_that_imitates_a_refusal_then_it_is_a_malformed_token_only(
    sent: str,
) -> None:
    logged = line(error=f'{FORMAT}parse "{sent}": net/url: invalid control character in URL')
    found = parse(logged.split("\n"))
    assert [(r.cause, r.arn) for r in found] == [(Cause.MALFORMED, "")]


@pytest.mark.parametrize(
    "error",
    [
        f'{FORMAT}parse "https://sts/?X-Amz-Signature=5ec7e7": net/url: invalid',
        f"{STS}error during GET: proxyconnect tcp: http://user:5ec7e7@proxy is no proxy",
        f"{STS}error during GET: user:5ec7e7@proxy: no such host",
        f"{STS}error during GET: {TOKEN}5ec7e7",
        f"{STS}error during GET: &X-AMZ-SECURITY-TOKEN=5ec7e7",
        sts_error("5ec7e7@", "5ec7e7"),
        f"{TOKEN}5ec7e7",
    ],
)
def test_given_a_secret_in_an_error_then_the_refusal_does_not_quote_it(error: str) -> None:
    (found,) = parse([line(error=error)])
    assert "5ec7e7" not in repr(found)


def test_given_fields_of_another_shape_then_they_are_left_out() -> None:
    (found,) = parse(
        [
            answer(MALLORY, "not a key", "a session\n"),
            line(error=NOT_MAPPED, arn=MALLORY),
        ]
    )
    assert (found.arn, found.access_key_id, found.session) == (MALLORY, "", "")
    (found,) = parse([line(error=NOT_MAPPED, arn="a stranger")])
    assert found.arn == ""


def test_given_fields_that_are_not_there_then_they_are_empty() -> None:
    (found,) = parse(
        [line("STS response", level="info", arn=MALLORY), line(error=NOT_MAPPED, arn=MALLORY)]
    )
    assert (found.arn, found.access_key_id, found.session) == (MALLORY, "", "")


@given(st.lists(st.text() | st.binary().map(lambda data: data.decode(errors="replace"))))
def test_given_any_lines_then_none_is_a_refusal(lines: list[str]) -> None:
    assert parse(lines) == []


@given(st.integers(0, 300), st.text(max_size=3), st.integers(0, 3))
def test_given_a_damaged_line_then_it_is_one_refusal_or_none(
    place: int, new: str, width: int
) -> None:
    whole = denied_role()
    damaged = whole[:place] + new + whole[place + width :]
    assert sum(refusal.count for refusal in parse([damaged, whole])) in (1, 2)
