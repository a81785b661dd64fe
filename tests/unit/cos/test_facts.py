"""What the leader knows and no metric says, as the peers' databag has it."""

from __future__ import annotations

import pytest
from cryptography import x509
from tests.fakes.certificates.authority import Authority

from certificates import SERVER_NAME
from certificates.keypair import KeyPair
from cos import facts

COUNTED = facts.Facts(to_correct=1, replicas=2)


def test_given_an_authority_that_ends_before_the_certificate_then_its_end_counts():
    authority = Authority("short", days=(-1, 20))
    certificate, key = authority.issue([SERVER_NAME], days=(-1, 300))
    known = facts.learn("", KeyPair(certificate, key, authority.certificate), COUNTED)

    end = x509.load_pem_x509_certificate(authority.certificate.encode()).not_valid_after_utc
    assert known.ends == end.timestamp()


@pytest.mark.parametrize(
    "text", ["", "-", "a b c d e f", "a 1 2 3", "a 1 2 3 4 5 6", "a 1 2 3 4 -"]
)
def test_given_facts_of_another_version_then_they_are_not_read(text: str):
    assert facts.load(text) is None
