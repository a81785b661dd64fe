"""Which key pairs the API server accepts, rule by rule.

`tests/conformance/test_tls.py` compares the same verdicts with Go's own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import itertools
import random

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.certificates import der_builder
from tests.fakes.certificates.authority import Authority, root
from tests.fakes.certificates.bad_certificates import FLAWS, Flaw
from tests.fakes.certificates.der_builder import Draft

from certificates import pem, verdict
from certificates.keypair import KeyPair
from certificates.refusal import NotYetValid, Refused, Stale

NAMES = ["aws-iam-authenticator.kube-system.svc", "10.152.183.20"]


UNREADABLE = r"(has an authority that )?cannot be read \(.+\)"
NO_CA = "has an authority that is not a CA by its basic constraints or key usage"
NO_SERVER = "is not for TLS servers by its key usages, or by those of an authority"
NO_KEY = "(has an authority that )?has a key that is not RSA, P-256, P-384, P-521 or Ed25519"
UNSIGNED = "is not signed by an authority that came with it"
UNKNOWN = "has an unknown critical extension in its chain"
POLICY = "requires certificate policies, or an authority of it does"
CONSTRAINED = "has an authority whose name constraints refuse its names"
NO_HOST = "has an authority with name constraints, and the name .+"
ODD_NAME = "(has an authority that )?has a name that Go may not read: .+"
WHOSE = "has an authority that "
GOOD = ""
# Roots that OpenSSL made long ago have this serial number.
LOADS_SERIAL_ZERO = pytest.mark.filterwarnings("ignore:Parsed a serial number")


@pytest.mark.parametrize(
    ("kind", "name", "of_leaf", "of_authority"),
    [
        ("time", "not yet", r"is not valid before .+", rf"{WHOSE}is not valid before .+"),
        ("time", "over", r"expired on .+ UTC", rf"{WHOSE}expired on .+ UTC"),
        ("time", "after 2050", GOOD, GOOD),
        ("time", "no such day", UNREADABLE, UNREADABLE),
        ("usage", "client", NO_SERVER, NO_SERVER),
        ("usage", "unknown", NO_SERVER, NO_SERVER),
        ("usage", "both", GOOD, GOOD),
        ("basic constraints", "no CA", GOOD, NO_CA),
        ("basic constraints", "none", GOOD, NO_CA),
        ("basic constraints", "length 0", GOOD, f"{WHOSE}allows fewer intermediates"),
        ("basic constraints", "length 1", GOOD, GOOD),
        ("key usage", "signatures", GOOD, NO_CA),
        ("key", "P-384", GOOD, GOOD),
        ("key", "P-521", GOOD, GOOD),
        ("key", "RSA-512", "has an RSA key of 512 bits, .+", f"{WHOSE}has an RSA key .+"),
        ("key", "RSA-1022", "has an RSA key of 1022 bits, .+", f"{WHOSE}has an RSA key .+"),
        ("key", "RSA-1024", GOOD, GOOD),
        (
            "key",
            "RSA-of-a-long-exponent",
            "has an RSA key with an exponent of 33 bits, not up to 31",
            f"{WHOSE}has an RSA key .+",
        ),
        ("key", "Ed25519", GOOD, GOOD),
        ("key", "Ed448", NO_KEY, NO_KEY),
        ("key", "DSA", NO_KEY, NO_KEY),
        ("key", "secp256k1", NO_KEY, NO_KEY),
        (
            "public key",
            "compressed",
            "has a key in an unusual .+",
            f"{WHOSE}has a key in an unusual .+",
        ),
        ("signature", "SHA1", "is signed with SHA1", GOOD),
        ("signature", "SHA224", "is signed with SHA224", GOOD),
        ("signature", "SHA384", GOOD, GOOD),
        ("signature", "SHA512", GOOD, GOOD),
        ("signature", "spoiled", UNSIGNED, GOOD),
        pytest.param(
            "serial",
            "negative",
            "has a negative .+",
            f"{WHOSE}has a negative .+",
            marks=LOADS_SERIAL_ZERO,
        ),
        pytest.param("serial", "zero", GOOD, GOOD, marks=LOADS_SERIAL_ZERO),
        (
            "version",
            "1 with extensions",
            "is of version 1 and .+",
            f"{WHOSE}is of version 1 and .+",
        ),
        ("version", "1", f"does not cover {NAMES[0]}", GOOD),
        ("version", "4", UNREADABLE, UNREADABLE),
        ("DER", "extension twice", UNREADABLE, UNREADABLE),
        ("DER", "something after", UNREADABLE, UNREADABLE),
        ("name", "bad printable", UNREADABLE, UNREADABLE),
        ("name", "bad UTF-8", UNREADABLE, UNREADABLE),
        ("name", "BMP", GOOD, GOOD),
        ("extension", "unknown", GOOD, GOOD),
        ("extension", "unknown critical", UNKNOWN, UNKNOWN),
        ("names", "none", f"does not cover {NAMES[0]}", GOOD),
        ("names", "wildcard", GOOD, GOOD),
        ("names", "wildcard of another", f"does not cover {NAMES[0]}", GOOD),
        ("names", "upper case", GOOD, GOOD),
        ("names", "not ASCII", UNREADABLE, UNREADABLE),
        ("names", "of letters beyond ASCII", ODD_NAME, ODD_NAME),
        ("names", "mail of letters beyond ASCII", ODD_NAME, ODD_NAME),
        ("names", "URI of letters beyond ASCII", ODD_NAME, ODD_NAME),
        ("names", "mail that is the name", ODD_NAME, ODD_NAME),
        ("names", "URI that is the name", ODD_NAME, ODD_NAME),
        ("names", "URI urn:uuid:1", GOOD, GOOD),
        ("names", "URI http://a:b", ODD_NAME, ODD_NAME),
        ("name constraints", "permit the namespace", GOOD, GOOD),
        ("name constraints", "permit another", GOOD, CONSTRAINED),
        ("name constraints", "permit below", GOOD, CONSTRAINED),
        ("name constraints", "exclude the service", GOOD, CONSTRAINED),
        ("name constraints", "exclude below", GOOD, GOOD),
        ("policies", "required", POLICY, GOOD),
        ("policies", "required below", POLICY, GOOD),
        ("policies", "mapping critical", GOOD, GOOD),
    ],
)
def test_given_a_flaw_when_checked_then_the_reason_is_that_of_the_api_server(
    kind: str, name: str, of_leaf: str, of_authority: str
):
    flaw = FLAWS[kind][name]
    leaf, middle, authority = (
        der_builder.leaf(),
        der_builder.authority("middle"),
        der_builder.authority("root", 3),
    )

    assert_is(of_leaf, flaw(leaf), middle, authority)
    assert_is(of_authority, leaf, middle, flaw(authority))


def assert_is(reason: str, *drafts: Draft) -> None:
    """Check a leaf, an intermediate and a root that is trusted alone."""
    certificates = [der_builder.pem(der) for der in der_builder.chain(drafts)]
    key = der_builder.key_pem(drafts[0])
    assert_reason(reason, KeyPair("".join(certificates), key, certificates[-1]))


def assert_reason(reason: str, pair: KeyPair) -> None:
    if not reason:
        assert verdict.check(pair, NAMES[:1])
        return
    with pytest.raises(Refused, match=f"^{reason}$"):
        verdict.check(pair, NAMES[:1])


@pytest.mark.parametrize(
    ("name", "rule", "reason"),
    [
        ("address", "permit a network", GOOD),
        ("address", "permit version 6", CONSTRAINED),
        ("address", "exclude the address", CONSTRAINED),
        # Go and OpenSSL differ there.
        ("wildcard", "permit the namespace", NO_HOST),
        ("mail", "permit the namespace", NO_HOST),
        ("URI spiffe://cluster.local/ns/kube-system", "permit the namespace", NO_HOST),
    ],
)
def test_given_name_constraints_when_checked_then_every_name_of_the_leaf_must_fit(
    name: str, rule: str, reason: str
):
    leaf = FLAWS["names"][name](der_builder.leaf())

    assert_is(reason, leaf, FLAWS["name constraints"][rule](der_builder.authority("root")))


@pytest.mark.parametrize(
    ("kind", "form", "reason"),
    [
        ("Ed25519", "with parameters", UNREADABLE),
        ("Ed25519", "short", UNREADABLE),
        ("P-256", "without a curve", UNREADABLE),
        ("P-256", "on another curve", UNREADABLE),
        ("P-256", "in a set", UNREADABLE),
        ("P-256", "with a version that is no number", UNREADABLE),
        ("RSA-2048", "for PSS", UNREADABLE),
        ("RSA-2048", "number 6 wrong", UNREADABLE),
    ],
)
def test_given_a_form_of_a_private_key_when_checked_then_it_fits_if_the_pods_read_it(
    kind: str, form: str, reason: str
):
    leaf, authority = (
        dataclasses.replace(der_builder.leaf(), key=kind),
        der_builder.authority("root"),
    )
    certificates = [der_builder.pem(der) for der in der_builder.chain([leaf, authority])]
    key = der_builder.pem(der_builder.odd_keys(leaf)[form], "PRIVATE KEY")

    assert_reason(reason, KeyPair(certificates[0], key, certificates[1]))


def test_given_a_path_of_no_intermediates_when_there_is_one_then_the_chain_is_too_long():
    authority = FLAWS["basic constraints"]["length 0"](der_builder.authority("root", 3))

    assert_is(GOOD, der_builder.leaf(), authority)
    assert_is(f"{WHOSE}allows fewer intermediates", *LONG, authority)


LONG = (der_builder.leaf(), der_builder.authority("middle"))


def test_given_an_intermediate_of_version_1_when_checked_then_it_is_not_a_ca():
    leaf, middle = LONG

    assert_is(NO_CA, leaf, FLAWS["version"]["1"](middle), der_builder.authority("root", 3))


def test_given_names_that_are_critical_when_checked_then_they_count_all_the_same():
    leaf = der_builder.leaf()
    critical = (dataclasses.replace(names, critical=True) for names in leaf.extensions)

    assert_is(GOOD, leaf.with_extension(*critical), der_builder.authority("root"))


def test_given_a_hundred_namesakes_when_the_leaf_names_its_authoritys_key_then_that_one_is_found():
    leaf = FLAWS["extension"]["authority key"](der_builder.leaf())
    signer = FLAWS["extension"]["subject key"](der_builder.authority("root"))
    another_key = der_builder.extension(x509.SubjectKeyIdentifier(b"other"))
    other = der_builder.authority("root", 3).with_extension(another_key)
    namesakes = [dataclasses.replace(other, serial=serial) for serial in range(1, 101)]
    pool = "".join(der_builder.pem(der_builder.sign(draft)) for draft in [*namesakes, signer])
    served = der_builder.pem(der_builder.sign(leaf, signer))

    assert_reason(GOOD, KeyPair(served, der_builder.key_pem(leaf), pool))


def test_given_an_intermediate_that_is_trusted_when_checked_then_its_root_does_not_matter():
    leaf, middle = (
        der_builder.pem(der)
        for der in der_builder.chain([*LONG, der_builder.authority("root")])[:2]
    )
    pair = KeyPair(leaf, der_builder.key_pem(LONG[0]), middle)

    assert verdict.check(pair, NAMES[:1])


def test_given_an_expired_cross_certificate_when_another_chain_is_good_then_that_counts():
    leaf, middle = LONG
    good, gone = (
        der_builder.authority("root", 3),
        der_builder.authority("former", 4, days=(-30, -1)),
    )
    pair = pem.key_pair(
        der_builder.pem(der_builder.sign(leaf, middle)),
        der_builder.key_pem(leaf),
        *(der_builder.pem(der_builder.sign(middle, signer)) for signer in (gone, good)),
        *(der_builder.pem(der_builder.sign(authority)) for authority in (gone, good)),
    )

    assert verdict.check(pair, NAMES[:1])


@pytest.mark.parametrize(
    ("salt", "reason"),
    [("usual", GOOD), ("long salt", "is signed with PSS and a salt of an unusual length")],
)
def test_given_a_pss_signature_when_checked_then_its_salt_is_as_long_as_its_digest(
    salt: str, reason: str
):
    leaf = FLAWS["signature"][f"PSS {salt}"](der_builder.leaf())

    assert_is(reason, leaf, der_builder.authority("root", key="RSA-2048"))


def test_given_a_leaf_that_is_not_valid_yet_when_checked_then_its_start_is_named():
    certificate, key = root().issue(NAMES, days=(1, 30))

    with pytest.raises(
        NotYetValid,
        match=r"^is not valid before \d{4}-\d\d-\d\d \d\d:\d\d UTC$",
    ):
        verdict.check(pem.key_pair(certificate, key, root().certificate), NAMES)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (FLAWS["usage"]["client"], NO_SERVER),
        (FLAWS["names"]["another"], f"does not cover {NAMES[0]}"),
    ],
)
def test_given_a_flaw_that_time_does_not_heal_when_not_valid_yet_then_it_is_the_reason(
    flaw: Flaw, reason: str
):
    early = FLAWS["time"]["not yet"](flaw(der_builder.leaf()))

    assert_is(reason, early, der_builder.authority("root"))


def test_given_an_answer_that_costs_a_million_comparisons_when_checked_then_it_is_refused():
    many = [x509.DNSName(f"{number}.example") for number in range(1_000)]
    leaf = der_builder.leaf(NAMES[0], *(f"{number}.svc" for number in range(1_000)))
    constraints = der_builder.extension(x509.NameConstraints(None, many), critical=True)
    authority = der_builder.authority("root").with_extension(constraints)

    assert_is("has an authority with name constraints, and too many names", leaf, authority)


def test_given_a_reply_without_blocks_when_checked_then_it_is_no_certificate():
    with pytest.raises(Refused, match=r"^is not a PEM certificate$"):
        verdict.check(pem.key_pair("no certificate", "no key"), NAMES)


def test_given_an_authority_that_was_renewed_when_checked_then_its_later_end_counts():
    soon, late = root().renewed((-1, 5)), root().renewed((-1, 900))
    certificate, key = root().issue(NAMES, days=(-1, 30))
    pair = pem.key_pair(certificate, key, soon.certificate, late.certificate)
    left = verdict.check(pair, NAMES) - dt.datetime.now(dt.timezone.utc)

    assert dt.timedelta(days=29) < left < dt.timedelta(days=31)


def test_given_a_pair_that_fits_when_checked_then_the_end_of_its_leaf_is_known(
    served: KeyPair,
):
    left = verdict.check(served, NAMES) - dt.datetime.now(dt.timezone.utc)

    assert dt.timedelta(days=364) < left < dt.timedelta(days=366)


def test_given_other_names_when_checked_then_it_is_stale_and_the_missing_ones_are_named(
    served: KeyPair,
):
    with pytest.raises(Stale, match=r"^does not cover 10\.0\.0\.9, other$"):
        verdict.check(served, [*NAMES, "other", "10.0.0.9"])


def test_given_a_leaf_without_names_when_checked_then_it_is_stale():
    certificate, key = root().issue([])

    with pytest.raises(Stale, match="does not cover"):
        verdict.check(pem.key_pair(certificate, key, root().certificate), NAMES)


def test_given_another_key_when_checked_then_it_does_not_belong(served: KeyPair):
    _, other = root().issue(NAMES)

    with pytest.raises(ValueError, match=r"^does not belong to its private key$"):
        verdict.check(dataclasses.replace(served, key=other), NAMES)


def test_given_an_expired_leaf_when_checked_then_the_time_is_said():
    certificate, key = root().issue(NAMES, days=(-10, -1))

    with pytest.raises(ValueError, match=r"^expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC$"):
        verdict.check(pem.key_pair(certificate, key, root().certificate), NAMES)


def test_given_an_expired_authority_when_checked_then_the_time_is_said():
    expired = Authority("expired", days=(-10, -1))
    certificate, key = expired.issue(NAMES)

    with pytest.raises(ValueError, match=r"^has an authority that expired on \d{4}-\d\d-\d\d "):
        verdict.check(pem.key_pair(certificate, key, expired.certificate), NAMES)


def test_given_an_authority_that_ends_before_its_leaf_when_checked_then_its_end_counts():
    ending = Authority("ending", days=(-10, 3))
    certificate, key = ending.issue(NAMES)

    end = verdict.check(pem.key_pair(certificate, key, ending.certificate), NAMES)

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
        verdict.check(pem.key_pair(*pair, authorities[authority]), NAMES)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": ""},
        {"key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
        {"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
    ],
)
def test_given_a_pair_that_is_damaged_when_checked_then_it_cannot_be_read(
    served: KeyPair, changes: dict[str, str]
):
    with pytest.raises(ValueError, match=r"^cannot be read"):
        verdict.check(dataclasses.replace(served, **changes), NAMES)


@pytest.mark.parametrize("key", ["P-256", "RSA-2048", "Ed25519"])
@pytest.mark.parametrize("kind", FLAWS)
def test_given_any_flaw_anywhere_when_checked_then_nothing_but_a_refusal_comes(
    kind: str, key: str
):
    """Which of them are refused, the conformance tests compare with Go."""
    leaf = der_builder.leaf()
    middle, authority = (der_builder.authority(str(which), which, key=key) for which in (2, 3))
    for flaw in FLAWS[kind].values():
        assert_decided(flaw(leaf), middle, authority)
        assert_decided(leaf, flaw(middle), authority)
        assert_decided(leaf, middle, flaw(authority))


@pytest.mark.parametrize("kind", ["names", "policies"])
def test_given_any_two_flaws_when_checked_then_nothing_but_a_refusal_comes(kind: str):
    above = FLAWS["name constraints" if kind == "names" else kind]
    both = list(itertools.product(FLAWS[kind].values(), above.values()))
    for flaw, other in random.Random(0).sample(both, min(len(both), 300)):
        assert_decided(
            flaw(der_builder.leaf()),
            other(flaw(der_builder.authority("middle"))),
            der_builder.authority("root", 3),
        )


def assert_decided(*drafts: Draft) -> None:
    certificates = [der_builder.pem(der) for der in der_builder.chain(drafts)]
    pair = KeyPair("".join(certificates), der_builder.key_pem(drafts[0]), certificates[-1])
    with contextlib.suppress(Refused):
        assert verdict.check(pair, NAMES[:1]) > dt.datetime.now(dt.timezone.utc)


def test_given_an_authority_that_go_leaves_out_when_checked_then_only_the_others_are_trusted(
    served: KeyPair,
):
    damaged = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
    with_headers = served.ca.replace("-----\n", "-----\na: b\n\n", 1)
    for ca in (damaged.format("?"), damaged.format("AAAA"), with_headers):
        assert verdict.check(dataclasses.replace(served, ca=ca + served.ca), NAMES)
        with pytest.raises(Refused, match=f"^{UNSIGNED}$"):
            verdict.check(dataclasses.replace(served, ca=ca), NAMES)


def test_given_no_certificate_at_all_when_checked_then_that_is_said(served: KeyPair):
    with pytest.raises(ValueError, match=r"^is not a PEM certificate$"):
        verdict.check(dataclasses.replace(served, certificate="-"), NAMES)


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
        verdict.check(pem.key_pair(certificate, key, ca), NAMES)
