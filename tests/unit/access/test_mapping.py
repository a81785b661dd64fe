"""The names of objects, and whom a mapping makes of a principal."""

from __future__ import annotations

import re

import pytest

from access import arn
from access.mapping import Identity, IdentityMapping, identity, name_for

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/dev"


@pytest.mark.parametrize(
    ("visible", "most", "words"),
    [
        ("Dev Ops", 40, "dev-ops"),
        ("!!abcdef!!", 40, "abcdef"),
        ("abcdefg-hijk", 8, "abcdefg"),
        ("--abcdefghijk", 8, "abcdefgh"),
        ("äöü", 40, "x"),
    ],
)
def test_given_a_text_then_a_name_shows_its_first_letters(visible: str, most: int, words: str):
    assert re.fullmatch(rf"{words}-[0-9a-f]{{10}}", name_for("key", visible, most))


def test_given_a_key_then_its_name_is_always_the_same_and_no_other_keys():
    assert name_for("key", "a") == name_for("key", "a") == "a-2c70e12b7a"
    assert name_for("other", "a") != name_for("key", "a")
    assert name_for("key", "a", digits=4) == "a-2c70"


@pytest.mark.parametrize(
    ("text", "username", "filled"),
    [
        (ROLE, "{{AccountID}}-dev", f"{ACCOUNT}-dev"),
        (ROLE, "dev:{{SessionName}}", "dev:{{SessionName}}"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/a@b", "{{SessionName}}", "a-b"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/a@b", "{{AccessKeyID}}", "{{AccessKeyID}}"),
        (ROLE, "{{sessionname}}", "{{sessionname}}"),
    ],
)
def test_given_fields_in_a_mapping_when_a_principal_logs_in_then_the_known_ones_are_filled_in(
    text: str, username: str, filled: str
):
    who = identity(IdentityMapping("m", ROLE, username, ROLE, (username,)), arn.parse(text))

    assert who == Identity(filled, (filled,))
    assert who.is_open == ("{{S" in filled or "{{Acc" in filled)
