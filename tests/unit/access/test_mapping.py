"""The names of objects."""

from __future__ import annotations

import re

import pytest

from access.mapping import name_for


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
