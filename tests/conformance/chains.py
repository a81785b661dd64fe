"""Key pairs of every kind, good and bad, from a seed."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from tests.fakes.certificates import der_builder
from tests.fakes.certificates.bad_certificates import FLAWS, Flaw
from tests.fakes.certificates.der_builder import Draft

from certificates import pem
from certificates.keypair import KeyPair


def of_seed(seed: int) -> tuple[KeyPair, str]:
    """A pair of any shape with up to two flaws, and how it was made."""
    dice = random.Random(seed)
    shape = dice.choice(list(SHAPES))
    drafts = SHAPES[shape](dice)
    story = [shape]
    for _ in range(dice.choice([0, 1, 1, 1, 1, 2, 2])):
        index = dice.choice([0, 0, 0, *range(1, len(drafts.signers))])
        kind = dice.choice(list(FLAWS))
        flaw = dice.choice(list(FLAWS[kind]))
        drafts = drafts.changed(index, FLAWS[kind][flaw])
        story.append(f"{kind} {flaw} of {index}")
    made, how = _assembled(drafts, dice)
    return made, ", ".join([*story, *how])


def straight(*drafts: Draft) -> KeyPair:
    """A leaf, intermediates that are served, and a root that is trusted alone."""
    certificates = [der_builder.pem(der) for der in der_builder.chain(drafts)]
    return KeyPair("".join(certificates), der_builder.key_pem(drafts[0]), certificates[-1])


@dataclasses.dataclass(frozen=True)
class Drafts:
    """Certificates before they are signed, the leaf first, with the index of each signer."""

    drafts: tuple[Draft, ...]
    signers: tuple[int, ...]

    def changed(self, index: int, flaw: Flaw) -> Drafts:
        """The same with a flaw. Certificates of one authority share its name and key."""
        drafts = list(self.drafts)
        drafts[index] = flaw(drafts[index])
        return Drafts(tuple(drafts), self.signers)

    def signed(self) -> list[bytes]:
        return [
            der_builder.sign(draft, self.drafts[signer])
            for draft, signer in zip(self.drafts, self.signers, strict=True)
        ]


def _any_key(dice: random.Random) -> str:
    # cryptography takes a tenth of a second to check a private RSA key.
    return dice.choice([*["P-256"] * 16, "P-384", "P-521", "RSA-2048", "Ed25519"])


def _chain(dice: random.Random, intermediates: int) -> Drafts:
    leaf = dataclasses.replace(der_builder.leaf(), key=_any_key(dice))
    above = [
        der_builder.authority(f"authority {index}", index + 2, key=_any_key(dice))
        for index in range(intermediates + 1)
    ]
    indexes = range(1, len(above) + 1)
    return Drafts((leaf, *above), (*indexes, len(above)))


def _cross_signed(dice: random.Random) -> Drafts:
    """An authority with two certificates, by two roots."""
    leaf, middle, root = _chain(dice, 1).drafts
    other = der_builder.authority("another root", 7)
    return Drafts((leaf, middle, root, middle, other), (1, 2, 2, 4, 4))


def _crossed_roots(dice: random.Random) -> Drafts:
    """Two roots that have signed each other."""
    leaf, one = _chain(dice, 0).drafts
    other = der_builder.authority("another root", 7)
    return Drafts((leaf, one, other, one, other), (1, 1, 2, 2, 1))


def _namesakes(dice: random.Random) -> Drafts:
    """Three roots of one name, with keys of their own or a former certificate."""
    leaf, root = _chain(dice, 0).drafts
    other = dataclasses.replace(root, which=8)
    renewed = dataclasses.replace(root, days=(-10, dice.choice([-1, 5])), serial=8)
    return Drafts((leaf, other, root, renewed), (2, 1, 2, 3))


def _self_signed(dice: random.Random) -> Drafts:
    return Drafts((dataclasses.replace(der_builder.leaf(), key=_any_key(dice)),), (0,))


def _foreign(dice: random.Random) -> Drafts:
    """A leaf whose issuer is not there."""
    leaf, root = _chain(dice, 0).drafts
    return Drafts((dataclasses.replace(leaf, issuer=der_builder.name("nobody")), root), (1, 1))


SHAPES: dict[str, Callable[[random.Random], Drafts]] = {
    "root": lambda dice: _chain(dice, 0),
    "the root": lambda dice: _chain(dice, 0),
    "intermediate": lambda dice: _chain(dice, 1),
    "the intermediate": lambda dice: _chain(dice, 1),
    "two intermediates": lambda dice: _chain(dice, 2),
    "cross-signed": _cross_signed,
    "crossed roots": _crossed_roots,
    "namesakes": _namesakes,
    "self-signed": _self_signed,
    "foreign": _foreign,
}


def _assembled(drafts: Drafts, dice: random.Random) -> tuple[KeyPair, list[str]]:
    leaf, *others = (der_builder.pem(der) for der in drafts.signed())
    key, how = _key(drafts.drafts[0], dice)
    dice.shuffle(others)
    if dice.random() < 0.6:
        return pem.key_pair(leaf, key, *others), how
    served = [other for other in others if dice.random() < 0.7]
    trusted = [other for other in (leaf, *others) if dice.random() < 0.6]
    how += [f"{len(served)} served and {len(trusted)} trusted of {len(others)}"]
    made = KeyPair("".join([leaf, *served]), pem.private_key(key) + "\n", pem.ca_bundle(*trusted))
    return made, how


def _key(draft: Draft, dice: random.Random) -> tuple[str, list[str]]:
    if dice.random() < 0.9:
        return der_builder.key_pem(draft), []
    form = dice.choice(["another", "another kind", "TraditionalOpenSSL", "label", "damaged"])
    if form == "another":
        return der_builder.key_pem(dataclasses.replace(draft, which=99)), [f"key: {form}"]
    if form == "another kind":
        return der_builder.key_pem(dataclasses.replace(draft, key="RSA-2048")), [f"key: {form}"]
    if form == "TraditionalOpenSSL" and draft.key.startswith(("P-", "RSA-")):
        return der_builder.key_pem(draft, form), [f"key: {form}"]
    text = der_builder.key_pem(draft)
    if form == "label":
        return text.replace(" PRIVATE", " RSA PRIVATE"), [f"key: {form}"]
    at = dice.randrange(30, 60)
    return text[:at] + dice.choice("A/=\n?:") + text[at + 1 :], [f"key: {form}"]
