"""PEM texts: what is served, what is trusted, and what can never be served."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from tests.fakes import damage
from tests.fakes.certificates import pairs
from tests.fakes.certificates.authority import PREAMBLE, Authority, root

from certificates import KeyPair, ca_bundle, certificates, private_key
from certificates.x509 import key_pair

BLOCK = "-----BEGIN A-----\nQUJD\n-----END A-----\n"
NAMES = ["aws-iam-authenticator.kube-system.svc", "10.152.183.20"]
ROOT = root().certificate
CERTIFICATE, KEY = root().issue(NAMES)
WHOLE = [CERTIFICATE]
MIDDLE = Authority("middle", issuer=root()).certificate
# Both have one name, but other keys: who trusts the former one alone needs it.
LINK = Authority("root", issuer=root()).certificate
OWN = pairs.LEAF.signed_by(pairs.LEAF)


@pytest.mark.parametrize(
    ("texts", "served", "trusted"),
    [
        ([CERTIFICATE, ROOT], [CERTIFICATE], [ROOT]),
        # As easy-rsa has it: a readable copy in front of each certificate.
        ([PREAMBLE + CERTIFICATE, PREAMBLE + ROOT], [CERTIFICATE], [ROOT]),
        ([CERTIFICATE.replace("\n", "\r\n"), ROOT], [CERTIFICATE], [ROOT]),
        ([CERTIFICATE, MIDDLE, ROOT], [CERTIFICATE, MIDDLE], [MIDDLE, ROOT]),
        ([CERTIFICATE, *[CERTIFICATE + MIDDLE] * 2, MIDDLE], [CERTIFICATE, MIDDLE], [MIDDLE]),
        ([CERTIFICATE, LINK, ROOT], [CERTIFICATE, LINK], [LINK, ROOT]),
        ([OWN], [OWN], [OWN]),
        ([OWN, OWN], [OWN], [OWN]),
        (["text", "text"], [], []),
    ],
    ids=[
        *("root", "readable copies", "windows", "intermediate", "repeated"),
        *("next of the authority", "self-signed", "twice", "nothing"),
    ],
)
def test_given_a_certificate_with_authorities_when_paired_then_it_is_served_and_they_are_trusted(
    texts: list[str], served: list[str], trusted: list[str]
):
    for key in (f"some text\n{KEY}", KEY.replace("\n", "\r\n")):
        found = key_pair(texts[0], key, *texts[1:])
        assert found == KeyPair("".join(served), KEY, "".join(sorted(trusted)))


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"])
def test_given_a_private_key_of_any_form_when_taken_apart_then_it_is_found(kind: str):
    block = BLOCK.replace("A-----", f"{kind}-----")

    assert private_key(BLOCK + block) == block


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CERTIFICATE.replace("\n", "\n \n"), WHOLE),
        (KEY + CERTIFICATE, WHOLE),
        (f"{CERTIFICATE.splitlines()[0]}\n{CERTIFICATE}", WHOLE),
        ("-----BEGIN CERTIFICATE----- ==\n-----END CERTIFICATE-----\n", []),
        # A reader that takes the square of their number runs into the limit of every test.
        ("-----BEGIN CERTIFICATE-----\n" * 200_000, []),
        ("-----BEGIN A PRIVATE KEY-----\n" * 200_000, []),
        ("-----BEGIN PRIVATE KEY-----\n-----END A-----\n" * 200_000, []),
        ("-----BEGIN A" * 200_000, []),
    ],
    ids=[
        *("blank lines", "other blocks", "begins twice", "text after the dashes"),
        *("no end", "no end of a key", "another end", "no line"),
    ],
)
def test_given_a_text_when_taken_apart_then_whole_certificates_are_left(
    text: str, found: list[str]
):
    assert certificates(text) == found
    assert private_key(text) == (KEY if KEY in text else "")


def test_given_two_authorities_when_merged_then_each_is_there_once_in_whatever_order_they_came():
    one, two = root("one").certificate, root("two").certificate

    assert ca_bundle(one, two + one, two) == ca_bundle(two, one)
    assert sorted(certificates(ca_bundle(one, two))) == sorted(certificates(one, two))
    assert ca_bundle() == ""


@given(st.lists(damage.pem(ROOT * 2), max_size=3))
def test_given_any_texts_when_taken_apart_then_blocks_are_whole_and_a_bundle_is_its_own(
    texts: list[str],
):
    blocks, bundle = certificates(*texts), ca_bundle(*texts)

    for block in blocks:
        assert block.startswith("-----BEGIN CERTIFICATE-----\n")
        assert block.endswith("-----END CERTIFICATE-----\n")
    assert ca_bundle(bundle) == bundle
    assert certificates(bundle) == sorted(blocks)
