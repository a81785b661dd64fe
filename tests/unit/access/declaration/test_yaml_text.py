"""YAML whose values are the texts that somebody wrote."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from access.declaration import yaml_text

FLAT = {text: text for text in ("012345670123", "1e5", "yes", "0x10", "2026-01-01", "12:30:00")}
TAGS = dict.fromkeys(("!!binary aGk=", "!!python/name:os.system aGk=", "!mine aGk="), "aGk=")
NULLS = dict.fromkeys(("", "~", "null", "Null", "NULL"))


@pytest.mark.parametrize(("text", "value"), {**FLAT, **TAGS, **NULLS}.items())
def test_given_a_value_when_it_is_read_then_it_is_the_text_that_is_written_or_none(
    text: str, value: str | None
):
    assert yaml_text.documents(f"- {text}") == [[value]]
    assert yaml_text.documents(f"- '{text}'\n- ! '{text}'") == [[text, text]]


NO_KEY = "a key must be a text, and no merge key (<<)"
NOT_YAML = "it has a character that YAML does not allow, or is nested too deep"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", "line 1: the key 'a' is there twice"),
        ("? [a]\n: b", f"line 1: {NO_KEY}"),
        ("{{x}}: 1", f"line 1: {NO_KEY}"),
        ("~: 1", f"line 1: {NO_KEY}"),
        ("a: &a {b: 1}\nc:\n  <<: *a", f"line 3: {NO_KEY}"),
        ("&a [*a]", "line 1: found unconstructable recursive node"),
        ("[" * 100_000, "line 1: exceeded maximum nesting depth"),
        ('{"a": ' * 100_000, "line 1: exceeded maximum nesting depth"),
        ("- " * 900, NOT_YAML),
        ('{"a": {"b": [{"c": 1, "c": 2}]}}', "the key 'c' is there twice"),
        ("[] {a: 1, a: 2}", "document 2: line 1: the key 'a' is there twice"),
        ("a:\n\t- b", "line 2: found character that cannot start any token"),
        ("a: \x07", NOT_YAML),
        ("\ud800", NOT_YAML),
    ],
)
def test_given_what_no_list_of_mappings_needs_when_it_is_read_then_it_is_refused(
    text: str, reason: str
):
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        yaml_text.documents(text)


def test_given_json_and_then_yaml_when_they_are_read_then_each_is_a_document_of_texts():
    text = '{"a": 1.50, "b": [null, 12e3]}\n{"c": "\\ud83d\\ude00"} []\n---\n- c: &c [d]\n- *c'

    assert yaml_text.documents(text) == [
        {"a": "1.50", "b": [None, "12e3"]},
        {"c": "\U0001f600"},
        [],
        [{"c": ["d"]}, ["d"]],
    ]


VALUES = st.recursive(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_given_texts_that_are_dumped_when_they_are_read_then_they_are_the_same(
    value: yaml_text.Value, flow: bool
):
    text = yaml.safe_dump(value, default_flow_style=flow, default_style='"')

    assert yaml_text.documents(text) == [value]
    assert yaml_text.documents(json.dumps([value])) == [[value]]
