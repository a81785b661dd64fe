"""YAML whose values are the texts that somebody wrote."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from access.declaration import yaml_text


@pytest.mark.parametrize("text", ["012345670123", "1e5", "yes", "0x10", "2026-01-01", "12:30:00"])
def test_given_a_value_without_quotes_when_it_is_read_then_it_is_the_text_that_is_written(
    text: str,
):
    assert yaml_text.load(f"a: {text}") == {"a": text}


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_given_nothing_when_it_is_read_then_it_is_none_unless_it_is_quoted(text: str):
    assert yaml_text.load(f"- {text}\n- '{text}'\n- ! '{text}'") == [None, text, text]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", "line 2: the key 'a' is there twice"),
        ("? [a]\n: b", "line 1: a key must be a text"),
        ("{{x}}: 1", "line 1: a key must be a text"),
        ("~: 1", "line 1: a key must be a text"),
        ("a: &a {b: 1}\nc:\n  <<: *a", "line 3: merge keys (<<) are not read here"),
        ("a: &b 1\nc: *b", "line 2: aliases (*) are not read here, write the value out"),
        ("&a [*a]", "line 1: aliases (*) are not read here"),
        ("--- a\n--- b", "it has 2 documents, keep one of them"),
        ("[" * 100_000, "exceeded maximum nesting depth"),
        ('{"a": ' * 100_000, "nested too deep"),
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ('{"a": {"b": [{"c": 1, "c": 2}]}}', "the key 'c' is there twice"),
        ('{"a": "\\ud800"}', "it is not valid Unicode"),
        ("a:\n\t- b", "line 2: found character that cannot start any token"),
        ("a: \x07", "a character that YAML does not allow"),
        ("\ud800", "it is not valid Unicode"),
    ],
)
def test_given_what_no_list_of_mappings_needs_when_it_is_read_then_it_is_refused(
    text: str, reason: str
):
    with pytest.raises(ValueError, match=r"^[^\n]+$") as raised:
        yaml_text.load(text)

    assert reason in str(raised.value)


@pytest.mark.parametrize("text", ["!!binary aGk=", "!!python/name:os.system aGk=", "!mine aGk="])
def test_given_a_tag_when_it_is_read_then_the_text_stays_as_it_is(text: str):
    assert yaml_text.load(f"a: {text}") == {"a": "aGk="}


def test_given_json_when_it_is_read_then_its_values_are_the_texts_that_yaml_has():
    text = '{"a": 1.50, "b": [true, null, 12e3], "c": "\\ud83d\\ude00"}'

    assert yaml_text.load(text) == {"a": "1.50", "b": ["true", None, "12e3"], "c": "\U0001f600"}


def test_given_json_and_then_yaml_when_they_are_read_then_each_is_a_document():
    assert yaml_text.documents('{"a": 1}\n{"b": 2} []\n---\n- c') == [
        {"a": "1"},
        {"b": "2"},
        [],
        ["c"],
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

    assert yaml_text.load(text) == value
    assert yaml_text.load(json.dumps([value])) == [value]
