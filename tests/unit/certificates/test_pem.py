"""PEM texts: what is served, what is trusted, and what can never be served."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from tests.fakes import damage
from tests.fakes.certificates import pairs
from tests.fakes.certificates.authority import PREAMBLE, Authority, root

from certificates import pem
from certificates.keypair import KeyPair

BLOCK = "-----BEGIN A-----\nQUJD\n-----END A-----\n"
NAMES = ["aws-iam-authenticator.kube-system.svc", "10.152.183.20"]
CERTIFICATE, KEY = root().issue(NAMES)


def test_given_easyrsas_readable_copy_when_taken_apart_then_only_the_blocks_are_left():
    found = pem.key_pair(
        PREAMBLE + CERTIFICATE, f"some text\n{KEY}", PREAMBLE + root().certificate
    )

    assert found.certificate == CERTIFICATE
    assert found.key == KEY
    assert found.ca == root().certificate


def test_given_no_block_when_taken_apart_then_neither_certificate_key_nor_authority_is_left():
    assert pem.key_pair("text", "text", "text") == KeyPair("\n", "\n", "")


def test_given_windows_line_ends_when_taken_apart_then_the_same_blocks_are_left():
    certificate, key = (text.replace("\n", "\r\n") for text in (CERTIFICATE, KEY))

    served = pem.key_pair(CERTIFICATE, KEY, root().certificate)
    assert pem.key_pair(certificate, key, root().certificate) == served


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"])
def test_given_a_private_key_of_any_form_when_taken_apart_then_it_is_found(kind: str):
    block = BLOCK.replace("A-----", f"{kind}-----")

    assert pem.private_key(BLOCK + block) == block.rstrip("\n")


WHOLE = [CERTIFICATE.rstrip("\n")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CERTIFICATE.replace("\n", "\n \n"), WHOLE),
        (KEY + CERTIFICATE, WHOLE),
        (f"{CERTIFICATE.splitlines()[0]}\n{CERTIFICATE}", WHOLE),
        ("-----BEGIN CERTIFICATE----- ==\n-----END CERTIFICATE-----\n", []),
    ],
    ids=["blank lines", "other blocks", "begins twice", "text after the dashes"],
)
def test_given_a_text_when_taken_apart_then_whole_certificates_are_left(
    text: str, found: list[str]
):
    assert pem.certificates(text) == found
    assert pem.private_key(CERTIFICATE) == ""


def test_given_an_intermediate_when_paired_then_it_is_served_and_the_leaf_is_not_trusted():
    middle = Authority("middle", issuer=root())
    certificate, key = middle.issue(NAMES)
    found = pem.key_pair(certificate, key, middle.certificate, root().certificate)

    assert found.certificate == certificate + middle.certificate
    assert found.ca == pem.ca_bundle(middle.certificate, root().certificate)
    assert certificate not in found.ca


def test_given_a_chain_that_repeats_its_parts_when_paired_then_each_is_there_once():
    middle = Authority("middle", issuer=root())
    certificate, key = middle.issue(NAMES)
    chain = certificate + middle.certificate
    found = pem.key_pair(certificate, key, chain, chain, middle.certificate)

    assert found.certificate == chain
    assert found.ca == middle.certificate


def test_given_a_root_when_paired_then_it_is_trusted_and_not_served():
    found = pem.key_pair(CERTIFICATE, KEY, root().certificate)

    assert found.certificate == CERTIFICATE
    assert found.ca == root().certificate


def test_given_an_authority_that_signs_its_next_certificate_when_paired_then_that_is_served():
    # Both have one name, but other keys: who trusts the former one alone needs it.
    link = Authority("root", issuer=root()).certificate

    assert (
        pem.key_pair(CERTIFICATE, KEY, link, root().certificate).certificate == CERTIFICATE + link
    )


def test_given_a_self_signed_certificate_when_paired_then_it_is_its_own_authority():
    certificate = pairs.LEAF.signed_by(pairs.LEAF)

    for authorities in ([], [certificate]):
        found = pem.key_pair(certificate, "", *authorities)
        assert (found.certificate, found.ca) == (certificate, certificate)


def test_given_two_authorities_when_merged_then_each_is_there_once_in_whatever_order_they_came():
    one, two = root("one").certificate, root("two").certificate

    assert pem.ca_bundle(one, two + one, two) == pem.ca_bundle(two, one)
    assert sorted(pem.certificates(pem.ca_bundle(one, two))) == sorted(pem.certificates(one, two))
    assert pem.ca_bundle() == ""


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN A PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n-----END A-----\n",
        "-----BEGIN A",
    ],
)
def test_given_megabytes_that_end_no_block_when_taken_apart_then_it_takes_no_hours(line: str):
    # A reader that takes the square of their number runs into the limit of every test.
    text = line * 200_000

    assert pem.certificates(text) == []
    assert pem.private_key(text) == ""


@given(st.lists(damage.pem(root().certificate * 2), max_size=3))
def test_given_any_texts_when_taken_apart_then_blocks_are_whole_and_a_bundle_is_its_own(
    texts: list[str],
):
    blocks, bundle = pem.certificates(*texts), pem.ca_bundle(*texts)

    for block in blocks:
        assert block.startswith("-----BEGIN CERTIFICATE-----\n")
        assert block.endswith("-----END CERTIFICATE-----")
    assert pem.ca_bundle(bundle) == bundle
    assert pem.certificates(bundle) == sorted(blocks)
