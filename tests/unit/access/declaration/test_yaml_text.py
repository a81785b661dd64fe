"""YAML whose values are the texts that somebody wrote."""

from __future__ import annotations

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


def test_given_an_alias_when_it_is_read_then_it_is_its_anchors_value():
    text = "a: &x [1, &y 2]\nb: *x\nc: *y\nd: &y 3\ne: *y"

    assert yaml_text.load(text) == {"a": ["1", "2"], "b": ["1", "2"], "c": "2", "d": "3", "e": "3"}


TOO_MANY = "it has more than 1,000,000 values, with aliases written out"


@pytest.mark.parametrize("levels", [6, 60])
def test_given_aliases_of_aliases_when_they_mean_too_much_then_they_are_refused(levels: int):
    lines = ["l0: &l0 [x]", *(f"l{n}: &l{n} [{f'*l{n - 1},' * 9}]" for n in range(1, levels))]

    if levels == 6:
        assert yaml_text.load("\n".join(lines))
    else:
        with pytest.raises(ValueError, match=f"^{TOO_MANY}$"):
            yaml_text.load("\n".join(lines))


def test_given_values_up_to_the_limit_when_they_are_read_then_one_more_is_too_many():
    # The list, each of its items, and what the first of them holds, as often as it is named.
    half = yaml_text.MOST_VALUES // 2
    text = f"[&a [{'x,' * (half - 2)}], *a"

    assert yaml_text.load(f"{text}, x]")
    with pytest.raises(ValueError, match=f"^{TOO_MANY}$"):
        yaml_text.load(f"{text}, x, x]")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", "line 2: the key 'a' is there twice"),
        ("? [a]\n: b", "line 1: a key must be a text"),
        ("{{x}}: 1", "line 1: a key must be a text"),
        ("~: 1", "line 1: a key must be a text"),
        ("a: &a {b: 1}\nc:\n  <<: *a", "line 3: merge keys (<<) are not read here"),
        ("a: *b", "line 1: no value before it has the anchor &b"),
        ("&a [*a]", "line 1: no value before it has the anchor &a"),
        ("--- a\n--- b", "it has 2 documents, keep one of them"),
        ("--- &a x\n--- *a", "line 2: no value before it has the anchor &a"),
        ("a: !!python/object:os.x {}", "has no meaning here"),
        ("a: !!binary aGk=", "has no meaning here"),
        ("a: !mine b", "the tag !mine has no meaning here"),
        ("[" * 21, "lists and maps are nested deeper than 20"),
        ("[" * 100_000, "exceeded maximum nesting depth"),
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
