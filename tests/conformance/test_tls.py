"""The charm's verdict on a key pair, and that of a TLS handshake between Go programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.oracle import Oracle, running
from tests.unit.authority import root

from certificates.sans import COMMON_NAME

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def tls() -> Iterator[Oracle]:
    with running(HERE / "tls") as oracle:
        yield oracle


@pytest.mark.parametrize("name", ["root", "other"])
def test_given_an_authority_when_the_client_trusts_it_then_it_accepts_its_leaf_only(
    tls: Oracle, name: str
):
    certificate, key = root("root").issue([COMMON_NAME])

    verdict = tls.ask(
        {
            "certificate": certificate,
            "key": key,
            "ca": root(name).certificate,
            "name": COMMON_NAME,
        }
    )

    assert verdict["accepted"] is (name == "root"), verdict["error"]
