"""How PEM blocks are found: as by one pattern, but in a time that grows with the text only."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates import pem

# What a block is. Its time grows with the square of the text.
BLOCK = r"-----BEGIN {0}-----[ \t]*[\r\n].*?-----END {0}-----"
KINDS = {"CERTIFICATE": pem._CERTIFICATE, "[A-Z0-9 ]*PRIVATE KEY": pem._PRIVATE_KEY}
PARTS = [
    "-----BEGIN CERTIFICATE-----",
    "-----END CERTIFICATE-----",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "-----BEGIN A-----",
    "-----END A-----",
    "-----BEGIN ",
    "-----END ",
    "-----",
    "-",
    "A",
    "MIIB",
    "\n",
    " ",
    "\r\n",
    "\u2028",
    "ä",
]
MEGABYTE = 2**20


@settings(max_examples=2_000)
@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join))
def test_given_any_text_when_its_blocks_are_found_then_they_are_those_of_the_pattern(text: str):
    for label, kind in KINDS.items():
        expected = re.findall(BLOCK.format(label), text, re.DOTALL)

        assert [*pem._blocks(kind, text)] == [*map(lines, expected)]


def lines(block: str) -> str:
    return "\n".join(filter(None, map(str.strip, block.splitlines())))


def test_given_text_after_the_dashes_when_blocks_are_found_then_that_line_begins_none():
    assert pem.certificates("-----BEGIN CERTIFICATE----- ==\n-----END CERTIFICATE-----\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN CERTIFICATE-----\n",
        "-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END A-----\n",
        "-----BEGIN A-----\n-----BEGIN CERTIFICATE-----\n-----END A-----\n",
        "-----BEGIN A",
        "-",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN A PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n-----END A-----\n",
        "A PRIVATE KEY ",
    ],
)
def test_given_a_megabyte_of_such_lines_when_its_blocks_are_found_then_it_takes_no_minutes(
    line: str,
):
    text = line * (MEGABYTE // len(line))
    start = time.process_time()

    pem.certificates(text)
    pem.private_key(text)

    assert time.process_time() - start < 5


def test_given_many_kinds_when_their_blocks_are_found_then_it_takes_no_minutes():
    text = "".join(f"-----BEGIN A{n} PRIVATE KEY-----\n" for n in range(30_000))
    start = time.process_time()

    pem.certificates(text)
    pem.private_key(text)

    assert time.process_time() - start < 5
