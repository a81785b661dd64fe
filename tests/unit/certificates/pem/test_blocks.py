"""PEM blocks are found in a time that grows with the text only."""

from __future__ import annotations

import time

import pytest

from certificates import pem

MEGABYTE = 2**20


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
