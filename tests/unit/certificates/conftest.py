"""A key pair of an authority, as its texts and as what is served."""

from __future__ import annotations

import pytest
from tests.fakes.certificates.authority import root

from certificates import pem
from certificates.keypair import KeyPair

NAMES = ["aws-iam-authenticator.kube-system.svc", "10.152.183.20"]


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    return root().issue(NAMES)


@pytest.fixture
def served(pair: tuple[str, str]) -> KeyPair:
    return pem.key_pair(*pair, root().certificate)
