"""PEM texts: what is served, what is trusted, and what can never be served."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.authority import PREAMBLE, Authority, root

from certificates import pem
from certificates.keypair import KeyPair

NAMES = ["aws-iam-authenticator.kube-system.svc", "10.152.183.20"]


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    return root().issue(NAMES)


@pytest.fixture
def served(pair: tuple[str, str]) -> KeyPair:
    return pem.key_pair(*pair, root().certificate)


def test_given_easyrsas_readable_copy_when_taken_apart_then_only_the_blocks_are_left(
    pair: tuple[str, str],
):
    certificate, key = pair
    found = pem.key_pair(
        PREAMBLE + certificate, f"some text\n{key}", PREAMBLE + root().certificate
    )

    assert found.certificate == certificate + root().certificate
    assert found.key == key
    assert found.ca == root().certificate


def test_given_windows_line_ends_when_taken_apart_then_the_same_blocks_are_left(
    pair: tuple[str, str], served: KeyPair
):
    certificate, key = (text.replace("\n", "\r\n") for text in pair)

    assert pem.key_pair(certificate, key, root().certificate) == served


def test_given_blank_lines_in_a_block_when_taken_apart_then_they_go(pair: tuple[str, str]):
    certificate, _ = pair

    assert pem.certificates(certificate.replace("\n", "\n \n")) == [certificate.rstrip("\n")]


def test_given_other_blocks_when_taken_apart_then_only_certificates_are_certificates(
    pair: tuple[str, str],
):
    certificate, key = pair

    assert pem.certificates(key + certificate) == [certificate.rstrip("\n")]
    assert pem.private_key(certificate) == ""


def test_given_a_block_that_begins_twice_when_taken_apart_then_its_one_end_ends_one_block(
    pair: tuple[str, str],
):
    certificate, _ = pair
    begin = certificate.splitlines()[0]

    (block,) = pem.certificates(f"{begin}\n{certificate}")
    assert block.splitlines()[:2] == [begin, begin]


def test_given_a_reply_without_blocks_when_checked_then_it_cannot_be_read():
    with pytest.raises(ValueError, match=r"^cannot be read \(ValueError\)$"):
        pem.check(pem.key_pair("no certificate", "no key"), NAMES)


def test_given_an_authority_that_was_renewed_when_checked_then_its_later_end_counts():
    soon, late = root().renewed((-1, 5)), root().renewed((-1, 900))
    certificate, key = root().issue(NAMES, days=(-1, 30))
    pair = pem.key_pair(certificate, key, soon.certificate, late.certificate)
    left = pem.check(pair, NAMES) - dt.datetime.now(dt.timezone.utc)

    assert dt.timedelta(days=29) < left < dt.timedelta(days=31)


def test_given_an_intermediate_when_paired_then_it_is_served_and_the_leaf_is_not_trusted():
    middle = Authority("middle", issuer=root())
    certificate, key = middle.issue(NAMES)
    found = pem.key_pair(certificate, key, middle.certificate, root().certificate)

    assert found.certificate == certificate + middle.certificate + root().certificate
    assert found.ca == pem.ca_bundle(middle.certificate, root().certificate)
    assert certificate not in found.ca
    assert pem.check(found, NAMES)


def test_given_a_chain_that_repeats_leaf_and_root_when_paired_then_each_is_there_once(
    pair: tuple[str, str],
):
    certificate, key = pair
    chain = certificate + root().certificate
    found = pem.key_pair(certificate, key, chain, root().certificate)

    assert found.certificate == chain
    assert found.ca == root().certificate


def test_given_two_authorities_when_merged_then_each_is_there_once_in_whatever_order_they_came():
    one, two = root("one").certificate, root("two").certificate

    assert pem.ca_bundle(one, two + one, two) == pem.ca_bundle(two, one)
    assert sorted(pem.certificates(pem.ca_bundle(one, two))) == sorted(pem.certificates(one, two))
    assert pem.ca_bundle() == ""


def test_given_a_pair_that_fits_when_checked_then_the_end_of_its_leaf_is_known(
    served: KeyPair,
):
    left = pem.check(served, NAMES) - dt.datetime.now(dt.timezone.utc)

    assert dt.timedelta(days=364) < left < dt.timedelta(days=366)


def test_given_other_names_when_checked_then_it_is_stale_and_the_missing_ones_are_named(
    served: KeyPair,
):
    with pytest.raises(pem.Stale, match=r"^does not cover 10\.0\.0\.9, other$"):
        pem.check(served, [*NAMES, "other", "10.0.0.9"])


def test_given_a_leaf_without_names_when_checked_then_it_is_stale():
    certificate, key = root().issue([])

    with pytest.raises(pem.Stale, match="does not cover"):
        pem.check(pem.key_pair(certificate, key, root().certificate), NAMES)


def test_given_another_key_when_checked_then_it_does_not_belong(served: KeyPair):
    _, other = root().issue(NAMES)

    with pytest.raises(ValueError, match=r"^does not belong to its private key$"):
        pem.check(dataclasses.replace(served, key=other), NAMES)


def test_given_an_expired_leaf_when_checked_then_the_time_is_said():
    certificate, key = root().issue(NAMES, days=(-10, -1))

    with pytest.raises(ValueError, match=r"^expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC$"):
        pem.check(pem.key_pair(certificate, key, root().certificate), NAMES)


def test_given_an_expired_authority_when_checked_then_the_time_is_said():
    expired = Authority("expired", days=(-10, -1))
    certificate, key = expired.issue(NAMES)

    with pytest.raises(ValueError, match=r"^has an authority that expired on \d{4}-\d\d-\d\d "):
        pem.check(pem.key_pair(certificate, key, expired.certificate), NAMES)


def test_given_an_authority_that_ends_before_its_leaf_when_checked_then_its_end_counts():
    ending = Authority("ending", days=(-10, 3))
    certificate, key = ending.issue(NAMES)

    end = pem.check(pem.key_pair(certificate, key, ending.certificate), NAMES)

    assert end < dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=4)


@pytest.mark.parametrize("authority", ["", "other", "namesake"])
def test_given_a_foreign_authority_when_checked_then_the_leaf_is_not_signed_by_it(
    pair: tuple[str, str], authority: str
):
    authorities = {
        "": "",
        "other": root("other").certificate,
        "namesake": Authority("root").certificate,
    }

    with pytest.raises(ValueError, match=r"^is not signed by an authority that came"):
        pem.check(pem.key_pair(*pair, authorities[authority]), NAMES)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": ""},
        {"key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
        {"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"ca": "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"},
    ],
)
def test_given_a_pair_that_is_damaged_when_checked_then_it_cannot_be_read(
    served: KeyPair, changes: dict[str, str]
):
    with pytest.raises(ValueError, match=r"^cannot be read"):
        pem.check(dataclasses.replace(served, **changes), NAMES)


def test_given_no_certificate_at_all_when_checked_then_that_is_said(served: KeyPair):
    with pytest.raises(ValueError, match=r"^is not a PEM certificate$"):
        pem.check(dataclasses.replace(served, certificate="-"), NAMES)


BLOCKS = st.sampled_from(
    [
        "-----BEGIN CERTIFICATE-----\n",
        "-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----END PRIVATE KEY-----\n",
        "MIIB",
        "\r\n",
    ]
)
TEXTS = st.lists(st.one_of(BLOCKS, st.text(max_size=5)), max_size=8).map("".join)


@given(TEXTS, TEXTS, TEXTS)
def test_given_any_texts_when_paired_and_checked_then_nothing_but_a_value_error_comes(
    certificate: str, key: str, ca: str
):
    with pytest.raises(ValueError, match=r"."):
        pem.check(pem.key_pair(certificate, key, ca), NAMES)
