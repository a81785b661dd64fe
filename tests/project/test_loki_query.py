"""The query for logins and refusals in Loki, over what nodes write of the authenticator's log.

Loki takes these regular expressions as Python does, and a label filter matches a whole label.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/how-to/watch-it-with-cos.md").read_text()
BELOW = PAGE.partition("## Logins and refusals in Loki")[2]
QUERY = re.findall(r"(?:^    .*\n)+", BELOW, re.MULTILINE)[0]
[FILENAME, ENTRY, DECISION] = [
    # A string of Loki in quotes escapes a backslash.
    re.compile(text.replace("\\\\", "\\"))
    for text in re.findall(r'(?:filename=~|regexp |decision=~)"(.*?)"', QUERY)
]
LABELS = dict(re.findall(r'(\w+)="(\w+)"', QUERY))

# As a node wrote them.
STAMP = "2026-11-28T06:54:18.619152987Z stderr"
GRANTED = {
    "arn": "arn:aws:iam::111122223333:role/dev",
    "client": "10.85.0.10:42846",
    "groups": ["view"],
    "level": "info",
    "method": "POST",
    "msg": "access granted",
    "path": "/authenticate",
    "stsendpoint": "sts.us-east-1.amazonaws.com",
    "time": "2026-11-28T06:54:15Z",
    "uid": "aws-iam-authenticator:111122223333:AROAVIEW00TESTBED000",
    "username": "dev",
}
DENIED = {
    "arn": "arn:aws:iam::111122223333:user/mallory",
    "client": "10.85.0.10:42916",
    "error": "identity is not mapped",
    "level": "warning",
    "method": "POST",
    "msg": "access denied",
    "path": "/authenticate",
    "time": "2026-11-28T06:54:18Z",
}


def found(line: str) -> dict[str, str] | None:
    """The labels that the query gives a line; None if it drops the line."""
    entry = ENTRY.search(line)
    try:
        fields = json.loads(entry["entry"]) if entry else {}
    except json.JSONDecodeError:
        return None
    labels = {label: str(fields.get(field, "")) for label, field in LABELS.items()}
    return labels if DECISION.fullmatch(labels["decision"]) else None


def test_given_a_login_then_the_query_says_who_it_was_and_as_whom():
    assert found(f"{STAMP} F {json.dumps(GRANTED)}") == {
        "decision": "access granted",
        "principal": GRANTED["arn"],
        "username": "dev",
        "reason": "",
    }


def test_given_a_refusal_then_the_query_says_who_it_was_and_why():
    assert found(f"{STAMP} F {json.dumps(DENIED)}") == {
        "decision": "access denied",
        "principal": DENIED["arn"],
        "username": "",
        "reason": "identity is not mapped",
    }


DROPPED = {
    "what STS answered": f"{STAMP} F {json.dumps({**GRANTED, 'msg': 'STS response'})}",
    "the beginning of a long line": f"{STAMP} P {json.dumps(GRANTED)}",
    "the end of a long line, which a stranger's token fills": (
        f"{STAMP} F {json.dumps(json.dumps(GRANTED))[1:]}"
    ),
    "a library's line": f"{STAMP} F I1128 06:33:29 reflector.go:1] {json.dumps(GRANTED)}",
    "a second line of a library's": f"{STAMP} F  {json.dumps(GRANTED)}",
}


@pytest.mark.parametrize("line", DROPPED.values(), ids=DROPPED)
def test_given_a_line_that_is_no_decision_then_the_query_drops_it(line: str):
    assert found(line) is None


def test_given_a_refusal_that_quotes_a_login_then_it_stays_a_refusal():
    labels = found(f"{STAMP} F {json.dumps({**DENIED, 'error': json.dumps(GRANTED)})}")

    assert labels
    assert (labels["decision"], labels["username"]) == ("access denied", "")


@pytest.mark.parametrize(
    "name",
    [
        "pods/kube-system_aws-iam-authenticator-6d5f-abcde_1b2c/aws-iam-authenticator/0.log",
        "containers/aws-iam-authenticator-6d5f-abcde_kube-system_aws-iam-authenticator-0a1b.log",
    ],
)
def test_given_a_file_of_a_pod_then_the_query_reads_it(name: str):
    assert FILENAME.fullmatch(f"/var/log/{name}")


@pytest.mark.parametrize(
    "name",
    [
        "pods/team_aws-iam-authenticator-1_1b2c/aws-iam-authenticator/0.log",
        "containers/aws-iam-authenticator-1_team_aws-iam-authenticator-0a1b.log",
    ],
)
def test_given_a_pod_of_that_name_in_another_namespace_then_the_query_leaves_its_file_out(
    name: str,
):
    assert not FILENAME.fullmatch(f"/var/log/{name}")
