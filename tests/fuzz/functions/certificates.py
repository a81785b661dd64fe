"""The older protocol, PEM, and the verdict on a key pair."""

from __future__ import annotations

import json
from random import Random

from tests.fuzz import mutate, samples
from tests.fuzz.functions.invariants import line, secretless
from tests.fuzz.runner import Target, Violation

from certificates import SERVER_NAME, pem, reactive_protocol, verdict
from certificates.keypair import KeyPair


def make_reply(rng: Random) -> list[dict[str, str]]:
    """Return the older protocol's databags of one to three units."""
    reply = {SERVER_NAME: {"cert": samples.LEAF, "key": samples.KEY}}
    bag = {"ca": samples.AUTHORITY.certificate, "aws-iam_0.processed_requests": json.dumps(reply)}
    good = [bag, {**bag, "ca": samples.OTHER_AUTHORITY.certificate}, {"ca": "", "chain": "x"}]
    return [mutate.bag(rng, b, damage_reply) for b in good[: rng.randint(1, 3)]]


def damage_reply(rng: Random, text: str) -> str:
    """Return a value of the older protocol's databag with damage."""
    if not text.startswith("{"):
        return mutate.pem(rng, text)
    reply, name = mutate.decoded(text), rng.choice(("cert", "cert", "key"))
    try:
        inner = next(iter(reply.values()))
        inner[name] = mutate.pem(rng, inner[name])
    except (AttributeError, LookupError, StopIteration, TypeError):
        return mutate.json_text(rng, text)
    return json.dumps(reply) if rng.random() < 0.7 else mutate.json_text(rng, text)


def check_reply(bags: list[dict[str, str]]) -> None:
    """Check that any databag is a list of pairs, which can be checked."""
    reactive_protocol.is_spoken_by(bags)
    for name in reactive_protocol.names_for_authority(bags):
        line(name)
    for _, pair in reactive_protocol.replies("aws-iam/0", bags):
        check_pair({"certificate": pair.certificate, "key": pair.key, "ca": pair.ca})


def make_pair(rng: Random) -> dict[str, str]:
    pair = {"certificate": samples.LEAF, "key": samples.KEY, "ca": samples.AUTHORITY.certificate}
    other = {
        "certificate": samples.OTHER_LEAF,
        "key": samples.OTHER_KEY,
        "ca": samples.OTHER_AUTHORITY.certificate,
    }
    key = rng.choice(("certificate", "certificate", "ca", "key"))
    if rng.random() < 0.1:
        return {**pair, key: other[key]}
    return {**pair, key: mutate.pem(rng, pair[key])}


def check_pair(sample: dict[str, str]) -> None:
    """Check that a pair is refused in one line without its key, or has an end."""
    try:
        verdict.check(KeyPair(**sample))
    except ValueError as error:
        line(str(error))
        secretless(str(error))


def make_pem(rng: Random) -> list[str]:
    texts = (samples.LEAF, samples.AUTHORITY.certificate, samples.KEY)
    pool = [mutate.pem(rng, rng.choice(texts)) for _ in range(3)]
    return [rng.choice(pool), mutate.text(rng, "".join(pool), texts)]


def check_pem(texts: list[str]) -> None:
    """Check that blocks are whole, and each there once."""
    blocks = pem.certificates(*texts)
    for block in blocks:
        if not block.startswith("-----BEGIN CERTIFICATE-----\n") or not block.endswith("-----"):
            raise Violation("a block that is not whole", block)
    bundle = pem.ca_bundle(*texts)
    if pem.ca_bundle(bundle) != bundle or sorted(blocks) != pem.certificates(bundle):
        raise Violation("a bundle that is not its own bundle", bundle)


TARGETS = (
    Target("legacy.replies", make_reply, check_reply),
    Target("pem.certificates", make_pem, check_pem),
    Target("verdict.check", make_pair, check_pair),
)
