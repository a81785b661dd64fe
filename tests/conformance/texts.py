"""Names of every kind, and the name constraints that may be about them, good and bad."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.fakes.certificates.bad_certificates import DNS, IP, MAIL, URI, Flaw, constraints, sans
from tests.fakes.certificates.der_builder import NAME

Dice = random.Random

_LABELS = ("a", "B", "svc", "kube-system", "x_y", "*", "*a", "1", "127")
_ODD = (
    "",
    ".",
    "..",
    "%41",
    "%25",
    "%e4",
    "%zz",
    "%",
    " ",
    "@",
    ":",
    "\\",
    '"',
    "[",
    "]",
    "<",
    "\x7f",
    "\n",
)
_ADDRESSES = (
    "127.0.0.1",
    "[::1]",
    "[fe80::1%25en0]",
    "[127.0.0.1]",
    "[::ffff:1.2.3.4]",
    "[g]",
    "::1",
)
_LOCALS = (
    "a",
    "A",
    "a.b",
    "a+b",
    '"a b"',
    '"a\\"b"',
    "a\\@b",
    "a\\ b",
    ".a",
    "a..b",
    '"',
    "",
    "*",
)


def _odd(dice: Dice, text: str, chance: float = 0.1) -> str:
    """Put something odd anywhere into a text, sometimes."""
    if dice.random() > chance:
        return text
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(_ODD) + text[at + dice.randrange(2) :]


def host(dice: Dice) -> str:
    """A domain, of which every second is one below that of the certificate's name."""
    labels = [dice.choice(_LABELS) for _ in range(dice.randint(1, 3))]
    parents = [NAME.split(".", dice.randrange(3))[-1]] if dice.random() < 0.5 else []
    return _odd(dice, ".".join([*labels[len(parents) :], *parents]))


def mail(dice: Dice) -> str:
    return _odd(dice, f"{dice.choice(_LOCALS)}@{host(dice)}")


def uri(dice: Dice) -> str:
    scheme = dice.choice(("http:", "https:", "spiffe:", "X+1.-:", "", "", "1:", ":", "a_b:"))
    user = dice.choice(("", "", "", "u@", "u:p@", "u%41@", "u%4@", "u^@", "@"))
    place = dice.choice(_ADDRESSES) if dice.random() < 0.2 else host(dice)
    port = dice.choice(("", "", "", ":", ":80", ":1:2", ":b", "::"))
    slashes = dice.choice(("//", "//", "//", "//", "", "/", "///"))
    rest = "".join(dice.choice(("", *kinds)) for kinds in (_PATHS, _QUERIES, _FRAGMENTS))
    return _odd(dice, f"{scheme}{slashes}{user}{place}{port}{rest}")


_PATHS = ("/", "/ns/a", "/%41", "/%4", "/a b", "/a:b", "//")
_QUERIES = ("?", "?a=b", "?%zz", "??")
_FRAGMENTS = ("#", "#a", "#%41", "#%4", "#\n")


def address(dice: Dice) -> bytes:
    return bytes([10, 152, dice.choice((183, 0)), dice.choice((20, 0))])


def _network(dice: Dice) -> bytes:
    length = dice.choice((8, 16, 24, 32))
    mask = (0xFFFFFFFF << (32 - length) & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(a & b for a, b in zip(address(dice), mask, strict=True)) + mask


def _base(dice: Dice) -> str:
    dot = dice.choice(("", "", "."))
    return dice.choice(("", dot + host(dice), dot + host(dice), dot + host(dice)))


_NAMES: dict[int, Callable[[Dice], str | bytes]] = {DNS: host, MAIL: mail, URI: uri, IP: address}
_BASES: dict[int, Callable[[Dice], str | bytes]] = {
    # cryptography takes no certificate with a star in one of these.
    DNS: lambda dice: _base(dice).replace("*", "b"),
    MAIL: lambda dice: mail(dice) if dice.random() < 0.3 else _base(dice),
    URI: lambda dice: dice.choice(_ADDRESSES) if dice.random() < 0.05 else _base(dice),
    IP: _network,
}


def _any(dice: Dice, makers: dict[int, Callable[[Dice], str | bytes]]) -> tuple[int, bytes]:
    tag = dice.choice(list(makers))
    value = makers[tag](dice)
    return tag, value.encode("latin-1") if isinstance(value, str) else value


def names(dice: Dice) -> tuple[Flaw, str]:
    """The right name and others, and which."""
    found = [(DNS, NAME.encode()), *(_any(dice, _NAMES) for _ in range(dice.randint(1, 2)))]
    return sans(*found), f"names {found[1:]}"


def name_constraints(dice: Dice) -> tuple[Flaw, str]:
    """Name constraints that mostly allow the right name, and which."""
    permitted = [_any(dice, _BASES) for _ in range(dice.randrange(3))]
    excluded = [_any(dice, _BASES) for _ in range(dice.randint(0 if permitted else 1, 2))]
    if any(tag == DNS for tag, _ in permitted):
        permitted.append((DNS, NAME.encode()))
    return constraints(permitted, excluded), f"permit {permitted} exclude {excluded}"
