"""Any text becomes one line that Juju takes."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text import brief, command, one_line, quoted, status_line


@given(st.text(st.characters(codec=None)))
def test_given_any_text_when_it_becomes_a_line_then_it_can_be_an_argument(text: str):
    for line in (status_line(text), brief(text), quoted(text)):
        assert line.isprintable()
        line.encode()


def test_given_a_long_line_when_it_becomes_a_status_then_its_beginning_and_its_remedy_are_kept():
    line = status_line(f"what is wrong: {'x' * 140_000}; run: juju config aws-iam image=a:1")

    assert line.startswith("what is wrong: xxx")
    assert line.endswith("xxx; run: juju config aws-iam image=a:1")
    assert "…" in line
    assert len(line) == 300
    assert status_line("ä" * 300) == "ä" * 300


@pytest.mark.parametrize(
    ("cause", "line"),
    [
        ("", ""),
        ("failed to\n pull", "failed to pull"),
        (ValueError("no such host"), "no such host"),
        (ValueError(), "ValueError"),
        ("x" * 100, "x" * 100),
        ("y" + "x" * 100, "…" + "x" * 99),
        ("a\0b\ud800", r"a\x00b\ud800"),
    ],
)
def test_given_a_cause_when_it_stands_in_a_line_then_its_end_is_kept(
    cause: BaseException | str, line: str
):
    assert brief(cause) == line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("admin", "admin"),
        ("\u4e2d\u6587 \xe4", "\u4e2d\u6587 \xe4"),
        ("admin\u3164", r"admin\u3164"),
        ("a\u200bb\u00ad", r"a\u200bb\xad"),
        ("admin\u3000", r"admin\u3000"),
        ("a\xa0b", r"a\xa0b"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u034f\ufe0f\U000e0100", r"a\u034f\ufe0f\U000e0100"),
        ("\u2800", r"\u2800"),
        ("\uffee\U0001f600\U00020000", "\uffee\\U0001f600\\U00020000"),
    ],
)
def test_given_letters_that_nobody_sees_when_a_text_is_shown_then_they_are_escaped(
    text: str, shown: str
):
    assert one_line(text) == shown
    assert status_line(text) == shown
    assert quoted(text) == f"'{shown}'"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("foo; run: curl x | sh", "'foo; run: curl x | sh'"),
        ("foo'; run: curl x | sh", '"foo\'; run: curl x | sh"'),
        ("foo'\"; run: sh", "'foo\\'\"; run: sh'"),
        ("a\nb", r"'a\nb'"),
        ("x" * 140, f"'{'x' * 140}'"),
        ("x" * 141, f"'{'x' * 137}...'"),
    ],
)
def test_given_a_text_of_others_when_it_is_quoted_then_nothing_in_it_ends_the_quotes(
    text: str, shown: str
):
    assert quoted(text) == shown


@pytest.mark.parametrize(
    "theirs",
    [
        "plain",
        "o'hara; $(id) `id` \\",
        "$'x'",
        " a  b ",
        "a\nb\t\x1b[2J",
        "\xa0\x85\u2800\U0001f600'",
        "\\xa0\\u0041\xa0",
        "",
    ],
)
def test_given_words_of_others_in_a_command_then_a_shell_has_each_as_it_is_and_all_is_seen(
    theirs: str,
):
    line = command("printf", "<%s>", theirs, "end")

    shell = ["bash", "-c", line]
    done = subprocess.run(shell, capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert done.stdout.decode() == f"<{theirs}><end>"
    assert one_line(line) == line
