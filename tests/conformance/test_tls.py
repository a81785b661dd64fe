"""The charm accepts no key pair that Go's server and client refuse.

That holds for all that an authority can issue (`NOT_ISSUED`). It refuses a few that Go accepts
(`REFUSED_TOO`). The kinds of flaws and of chains are all that is random, and the seeds are fixed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from tests.conformance import chains, texts
from tests.conformance.oracle import Oracle, running
from tests.fakes.certificates import der_builder
from tests.fakes.certificates.bad_certificates import FLAWS
from tests.fakes.certificates.der_builder import Draft

from certificates import verdict
from certificates.keypair import KeyPair
from certificates.sans import COMMON_NAME

HERE = Path(__file__).parent
MOST_CANDIDATES = 100
# No authority issues these: they are not DER, not X.509, or not as RFC 5280 has it.
NOT_ISSUED = (
    "a byte",
    "basic constraints huge",
    "by a too large number",
    "extension huge number",
    "extension too large number",
    "name bad numeric",
    "name constraints bad name",
    "kind of a too large number",
    "name reserved BMP",
    "name universal",
    "names empty critical",
    "policies huge",
    "policies malformed mapping",
    "policies mapping any",
    "policies mapping from any",
    "policies mapping in a long form",
    "policies twice",
    "signature two algorithms",
)
# Go accepts these, and the charm refuses them.
REFUSED_TOO = (
    # An authority may issue these. OpenSSL refuses them, or it and Go read them differently.
    "key Ed448",
    "key P-224",
    "usage any",
    "key usage signing certificates",
    "policies required",
    "name constraints exclude mail",
    "name constraints exclude URI",
    "name constraints permit",
    "namesakes",
    "crossed roots",
    # Names that are no plain host, mailbox or URI.
    "names URI",
    "names bad mail",
    "names dot",
    "names empty mail",
    "names mail that is the name",
    "names nothing",
    "names part of a wildcard",
    "names space",
    "names star",
    "names two wildcards",
    "names X.400",
    "names constructed",
    # No authority issues these.
    "basic constraints length only",
    "extension malformed known",
    "extension revocation without a name",
    "key usage empty",
    "key usage long",
    "key usage zero",
    "name T61",
    "name star",
    "name constraints directory not critical",
    "policies negative",
    "signature Ed25519 with parameters",
    "signature MD5",
    "signature PSS",
    "signature SHA3",
    "signature unknown",
    "time with a zone",
    "time without seconds",
    "usage empty",
    "version 1 with extensions",
    "version 2 with extensions",
    "key: label",
)

# Roots that OpenSSL made long ago have the serial number zero.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")

Case = tuple[KeyPair, str]


@pytest.fixture(scope="module")
def tls() -> Iterator[Oracle]:
    with running(HERE / "tls") as oracle:
        yield oracle


def wrongly_accepted(tls: Oracle, cases: Iterable[Case]) -> list[str]:
    return [
        f"{story}: {reason}"
        for pair, story in cases
        if not any(flaw in story for flaw in NOT_ISSUED)
        and not of_charm(pair)
        and (reason := of_go(tls, pair))
    ]


def needlessly_refused(tls: Oracle, cases: Iterable[Case]) -> list[str]:
    return [
        f"{story}: {reason}"
        for pair, story in cases
        if not any(flaw in story for flaw in REFUSED_TOO)
        and (reason := of_charm(pair))
        and not of_go(tls, pair)
    ]


def of_go(tls: Oracle, pair: KeyPair) -> str:
    answer = tls.ask(
        {
            "certificate": pair.certificate,
            "key": pair.key,
            "ca": pair.ca,
            "name": COMMON_NAME,
        }
    )
    return "" if answer["accepted"] else answer["error"]


def of_charm(pair: KeyPair) -> str:
    try:
        verdict.check(pair, [COMMON_NAME])
    except ValueError as reason:
        return str(reason)
    return ""


def drafts() -> list[Draft]:
    return [
        der_builder.leaf(),
        der_builder.authority("middle", 2),
        der_builder.authority("root", 3),
    ]


def with_one_flaw() -> Iterator[Case]:
    for kind, flaws in FLAWS.items():
        for (name, flaw), index in itertools.product(flaws.items(), range(3)):
            flawed = drafts()
            flawed[index] = flaw(flawed[index])
            yield chains.straight(*flawed), f"{kind} {name} of {flawed[index].subject}"


def with_one_flaw_under(key: str) -> Iterator[Case]:
    for kind in ("signature", "public key", "name"):
        for (name, flaw), index in itertools.product(FLAWS[kind].items(), range(3)):
            flawed = [drafts()[0], *(replace(draft, key=key) for draft in drafts()[1:])]
            flawed[index] = flaw(flawed[index])
            yield chains.straight(*flawed), f"{kind} {name} of {flawed[index].subject}, {key}"


CASES: dict[str, Callable[[], Iterable[Case]]] = {
    "one flaw": with_one_flaw,
    "one flaw under RSA": lambda: with_one_flaw_under("RSA-2048"),
    "one flaw under Ed25519": lambda: with_one_flaw_under("Ed25519"),
    "any chain": lambda: (chains.of_seed(seed) for seed in range(400)),
}


@pytest.mark.parametrize("cases", CASES)
def test_given_flaws_anywhere_in_a_chain_then_what_go_refuses_is_refused(tls: Oracle, cases: str):
    assert wrongly_accepted(tls, CASES[cases]()) == []


@pytest.mark.parametrize("cases", CASES)
def test_given_flaws_anywhere_in_a_chain_then_few_that_go_accepts_are_refused(
    tls: Oracle, cases: str
):
    assert needlessly_refused(tls, CASES[cases]()) == []


def with_constrained_names() -> Iterator[Case]:
    both = list(itertools.product(FLAWS["names"].items(), FLAWS["name constraints"].items()))
    for (name, named), (rule, constrained) in random.Random(0).sample(both, 400):
        pair = chains.straight(
            named(der_builder.leaf()), constrained(der_builder.authority("root"))
        )
        yield pair, f"names {name} where name constraints {rule}"


def test_given_any_names_and_name_constraints_then_what_go_refuses_is_refused(tls: Oracle):
    assert wrongly_accepted(tls, with_constrained_names()) == []


def with_any_names(seeds: Iterable[int]) -> Iterator[Case]:
    for seed in seeds:
        dice = random.Random(seed)
        named, story = texts.names(dice)
        constrained, rule = texts.name_constraints(dice)
        root = der_builder.authority("root")
        if dice.random() < 0.2:
            yield chains.straight(named(der_builder.leaf()), root), story
        yield chains.straight(named(der_builder.leaf()), constrained(root)), f"{story} {rule}"


def test_given_random_names_and_name_constraints_then_what_go_refuses_is_refused(tls: Oracle):
    assert wrongly_accepted(tls, with_any_names(range(400))) == []


GOOD_POLICIES = [
    name
    for name in FLAWS["policies"]
    if not name.startswith(("malformed", "negative", "huge ", "twice")) and "long form" not in name
]


def with_policies(seeds: Iterable[int]) -> Iterator[Case]:
    for seed in seeds:
        dice = random.Random(seed)
        flawed = [*drafts()[:2], der_builder.authority("other", 4), drafts()[2]]
        if dice.random() < 0.3:
            # It has issued itself another certificate.
            flawed[2] = replace(flawed[2], subject=flawed[1].subject)
        story: list[str] = []
        for index, _ in itertools.product(range(4), range(2)):
            name = dice.choice(GOOD_POLICIES if dice.random() < 0.9 else list(FLAWS["policies"]))
            if dice.random() < 0.7:
                flawed[index] = FLAWS["policies"][name](flawed[index])
                story.append(f"policies {name} of {index}")
        yield chains.straight(*flawed), ", ".join(story)


def test_given_any_certificate_policies_then_what_go_refuses_is_refused(tls: Oracle):
    assert wrongly_accepted(tls, with_policies(range(200))) == []


def keys(draft: Draft) -> Iterator[tuple[str, str]]:
    private = der_builder.key(draft.key, draft.which)
    forms = ["PKCS8", "TraditionalOpenSSL"] if draft.key != "Ed25519" else ["PKCS8"]
    for form in forms:
        text = der_builder.key_pem(draft, form)
        body = "\n".join(text.splitlines()[1:-1])
        for label in ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ANY PRIVATE KEY"):
            yield f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n", f"{form} {label}"
        yield text.replace("\n", "\r\n"), "line ends"
        yield text.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1), "headers"
        yield text.replace("-----\n", "-----\n ", 1), "a space"
        yield text[: len(text) // 2], "half"
    if draft.key != "P-521":
        for story, der in der_builder.odd_keys(draft).items():
            yield der_builder.pem(der, "PRIVATE KEY"), story
    locked = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    yield locked.decode(), "encrypted"
    yield der_builder.key_pem(replace(draft, which=98)), "another"
    yield der_builder.key_pem(replace(draft, key="Ed448")), "of another kind"
    yield "", "none"


def with_keys() -> Iterator[Case]:
    for kind in ("P-256", "P-521", "RSA-2048", "Ed25519"):
        leaf = replace(der_builder.leaf(), key=kind)
        pair = chains.straight(leaf, der_builder.authority("root"))
        for key, story in keys(leaf):
            yield replace(pair, key=key), f"{kind}, {story}"


def test_given_any_form_of_a_private_key_then_what_go_refuses_is_refused(tls: Oracle):
    assert wrongly_accepted(tls, with_keys()) == []


def with_texts() -> Iterator[Case]:
    pair = chains.straight(*drafts())
    leaf, middle, root = (
        block + "-----END CERTIFICATE-----\n"
        for block in pair.certificate.split("-----END CERTIFICATE-----\n")[:-1]
    )
    damages = {
        "data in the last line": lambda text: text.replace("\n-----END", "-----END"),
        "data in the first line": lambda text: text.replace("E-----\n", "E----- ", 1),
        "begun twice": lambda text: text.splitlines()[0] + "\n" + text,
        "one more character": lambda text: text.replace("\n-----END", "A\n-----END"),
        "no base64": lambda text: text.replace("\nM", "\n?"),
        "nothing in it": lambda text: "\n".join([*text.splitlines()[::20], ""]),
        "a header": lambda text: text.replace("\nM", "\nA: b\nM"),
        "spaces": lambda text: text.replace("\nM", "\n \tM"),
    }
    for name, damage in damages.items():
        for certificate in (
            damage(leaf) + middle + root,
            leaf + damage(middle) + root,
            leaf + middle + damage(root),
            leaf + middle + damage(middle),
        ):
            yield replace(pair, certificate=certificate), name
        yield replace(pair, ca=damage(root)), name
        yield replace(pair, ca=damage(root) + root), name
        yield replace(pair, ca=damage(leaf) + leaf), f"{name}, leaf trusted"


def test_given_damaged_blocks_then_what_go_refuses_is_refused(tls: Oracle):
    assert wrongly_accepted(tls, with_texts()) == []


def with_many(count: int, wanted: bytes = b"") -> Case:
    """So many authorities of one name before the right one, which the leaf may name by its key."""
    leaf, root = der_builder.leaf(), der_builder.authority("root", 3)
    if wanted:
        leaf = FLAWS["extension"]["authority key"](leaf)
        root = root.with_extension(der_builder.Extension("2.5.29.14", der_builder.tlv(4, wanted)))
    others = [
        der_builder.sign(replace(der_builder.authority("root", 9), serial=serial))
        for serial in range(100, 100 + count)
    ]
    bundle = "".join(der_builder.pem(der) for der in (*others, der_builder.sign(root)))
    pair = KeyPair(
        der_builder.pem(der_builder.sign(leaf, root)), der_builder.key_pem(leaf), bundle
    )
    return pair, f"{count} more, {wanted!r}"


def test_given_more_candidates_than_go_tries_then_what_go_refuses_is_refused(tls: Oracle):
    cases = [
        with_many(count, wanted)
        for count in (MOST_CANDIDATES - 1, MOST_CANDIDATES)
        for wanted in (b"", b"key", b"another key")
    ]
    assert wrongly_accepted(tls, cases) == []
    assert of_go(tls, with_many(MOST_CANDIDATES, b"key")[0]) == ""


def with_length(length: int) -> Case:
    """A chain of so many bytes in its TLS message."""
    # Ed25519's signatures are all equally long.
    root = der_builder.authority("root", key="Ed25519")
    leaf, size = der_builder.leaf(), 200_000
    for _ in range(2):
        leaf = leaf.with_extension(der_builder.Extension("1.2.3.4", bytes(size)))
        size += length - 4 - sum(5 + len(der) for der in der_builder.chain([leaf, root]))
    return chains.straight(leaf, root), f"{length} bytes"


def test_given_a_chain_at_the_longest_message_then_what_go_refuses_is_refused(tls: Oracle):
    longest, longer = with_length(262_144), with_length(262_145)
    assert wrongly_accepted(tls, [longest, longer]) == []
    assert of_go(tls, longest[0]) == ""
    assert "exceeds maximum" in of_go(tls, longer[0])
