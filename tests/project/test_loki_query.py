"""The query for logins and refusals in Loki, over what nodes write of the authenticator's log.

Loki takes these regular expressions as Python does, and a label filter matches a whole label.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/how-to/alerts.md").read_text()
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
    "level": "info",
    "msg": "access granted",
    "path": "/authenticate",
    "uid": "aws-iam-authenticator:111122223333:AROAVIEW00TESTBED000",
    "username": "dev",
}
DENIED = {
    "arn": "arn:aws:iam::111122223333:user/mallory",
    "error": "identity is not mapped",
    "level": "warning",
    "msg": "access denied",
    "path": "/authenticate",
}
DROPPED = {
    "what STS answered": f"F {json.dumps({**GRANTED, 'msg': 'STS response'})}",
    "the beginning of a long line": f"P {json.dumps(GRANTED)}",
    "the end of a long line, which a stranger's token fills": (
        f"F {json.dumps(json.dumps(GRANTED))[1:]}"
    ),
    "a library's line": f"F I1128 06:33:29 reflector.go:1] {json.dumps(GRANTED)}",
    "a second line of a library's": f"F  {json.dumps(GRANTED)}",
}


def found(line: str) -> tuple[str, ...] | None:
    """The labels that the query gives a line; None if it drops the line."""
    entry = ENTRY.search(f"{STAMP} {line}")
    try:
        fields = json.loads(entry["entry"]) if entry else {}
    except json.JSONDecodeError:
        return None
    labels = {label: str(fields.get(field, "")) for label, field in LABELS.items()}
    names = ("decision", "principal", "username", "reason")
    return (
        tuple(labels[name] for name in names) if DECISION.fullmatch(labels["decision"]) else None
    )


def test_given_a_login_or_a_refusal_then_the_query_says_who_it_was_and_as_whom_or_why():
    granted, denied, quoting = (
        found(f"F {json.dumps(each)}")
        for each in (GRANTED, DENIED, {**DENIED, "error": json.dumps(GRANTED)})
    )

    assert granted == ("access granted", GRANTED["arn"], "dev", "")
    assert denied == ("access denied", DENIED["arn"], "", "identity is not mapped")
    assert quoting == ("access denied", DENIED["arn"], "", json.dumps(GRANTED))


@pytest.mark.parametrize("line", DROPPED.values(), ids=DROPPED)
def test_given_a_line_that_is_no_decision_then_the_query_drops_it(line: str):
    assert found(line) is None
