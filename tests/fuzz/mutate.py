"""Damage to inputs. Pure: the same random numbers, the same damage."""

from __future__ import annotations

import base64
import binascii
import copy
import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

# What programs of all kinds read wrongly.
TEXTS = (
    "",
    " ",
    "\n",
    "\0",
    "\x1b[31m",
    "\u2028",
    "\u202e",
    "\ud800",
    "\N{PILE OF POO}",
    "İ",
    "null",
    "true",
    "None",
    "[]",
    "{}",
    "0",
    "-1",
    "1e999",
    "NaN",
    "'",
    '"',
    "{{ 1 }}",
    "${x}",
    "&a [*a, *a]",
    "!!python/object:os.system",
    "../../../etc/passwd",
    "-----BEGIN CERTIFICATE-----",
    "9" * 5_000,
    "x" * 140_000,
    "[" * 100_000,
    "-----BEGIN CERTIFICATE-----\n" * 3_000,
)
_SCALARS: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**63,
    1e308,
    "",
    "x",
    [],
    {},
    [None],
    {"": None},
)
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----\n(.*?)\n-----END \1-----", re.DOTALL)

Bag = dict[str, str]


def text(rng: Random, sample: str, others: Sequence[str] = ()) -> str:
    """Return ``sample`` with one to three edits, or something else in its place."""
    if rng.random() < 0.15:
        return rng.choice(TEXTS)
    for _ in range(rng.randint(1, 3)):
        sample = _edited(rng, sample, others)
    return sample


def _edited(rng: Random, sample: str, others: Sequence[str]) -> str:
    start = rng.randrange(len(sample) + 1)
    end = min(len(sample), start + rng.choice((1, 1, 2, 5, 20, 200)))
    match rng.randrange(8):
        case 0:
            return sample[:start]
        case 1:
            return sample[start:]
        case 2:
            return sample[:start] + sample[end:]
        case 3:
            return sample[:end] + sample[start:]
        case 4:
            return sample[:start] + rng.choice(TEXTS[:-4]) + sample[end:]
        case 5:
            return sample[:start] + chr(rng.randrange(0x250)) + sample[end:]
        case 6:
            return sample[:start] + sample[start:end].swapcase() + sample[end:]
        case _:
            return sample[:start] + rng.choice([*others, sample]) + sample[end:]


def data(rng: Random, sample: bytes) -> bytes:
    """Return ``sample`` with bytes that are cut, dropped, doubled or others."""
    for _ in range(rng.randint(1, 3)):
        start = rng.randrange(len(sample) + 1)
        end = min(len(sample), start + rng.choice((1, 1, 4, 40)))
        new = bytes(rng.randrange(256) for _ in range(rng.choice((0, 1, 4))))
        pieces = (
            sample[:start],
            sample[:start] + new + sample[end:],
            sample[:end] + sample[start:],
        )
        sample = rng.choice(pieces)
    return sample


def value(rng: Random, sample: Any) -> Any:
    """Return a JSON value of which one to three parts are missing or something else."""
    holder = [copy.deepcopy(sample)]
    for _ in range(rng.randint(1, 3)):
        parts = list(_parts(holder))
        # The parts near the top are few and matter most.
        container, key = parts[int(len(parts) * rng.random() ** 2)]
        _change(rng, container, key)
        if not holder:
            return None
    return holder[0]


def _parts(holder: Any) -> list[tuple[Any, Any]]:
    """Return every part as its container and key, the outermost first."""
    found: list[tuple[Any, Any]] = []
    level = [holder]
    while level:
        below = []
        for container in level:
            keys = list(container) if isinstance(container, dict) else range(len(container))
            found += [(container, key) for key in keys]
            below += [container[key] for key in keys if isinstance(container[key], dict | list)]
        level = below
    return found


def _change(rng: Random, container: Any, key: Any) -> None:
    old = container[key]
    match rng.randrange(7):
        case 0:
            del container[key]
        case 1:
            container[key] = [old]
        case 2:
            container[key] = {"x": old}
        case 3 if isinstance(old, str):
            container[key] = text(rng, old)
        case 4 if isinstance(old, list) and old:
            container[key] = old * 2
        case 5:
            container[key] = rng.choice(TEXTS)
        case _:
            container[key] = copy.copy(rng.choice(_SCALARS))


def json_text(rng: Random, sample: str) -> str:
    """Return the JSON text ``sample`` with another value in it, or with damaged text."""
    dice = rng.random()
    if dice < 0.3:
        return text(rng, sample)
    if dice < 0.35:
        return rng.choice(('{"a":' * 50_000 + "5" + "}" * 50_000, f'{{"a": {"9" * 5_000}}}'))
    found = decoded(sample)
    return text(rng, sample) if found is None else json.dumps(value(rng, found))


def decoded(sample: str) -> Any:
    """Return the value of the JSON text ``sample``; None where it is not JSON."""
    try:
        return json.loads(sample)
    except (ValueError, RecursionError):
        return None


def pem(rng: Random, sample: str) -> str:
    """Return the PEM text ``sample`` with a damaged block, or with damaged text."""
    blocks = list(_BLOCK.finditer(sample))
    if not blocks or rng.random() < 0.2:
        return text(rng, sample)
    block = rng.choice(blocks)
    try:
        body = data(rng, base64.b64decode(block[2]))
    except (ValueError, IndexError, binascii.Error):
        return text(rng, sample)
    lines = "\n".join(textwrap.wrap(base64.b64encode(body).decode(), 64))
    return sample[: block.start(2)] + lines + sample[block.end(2) :]


def bag(rng: Random, sample: Mapping[str, str], damage: Callable[[Random, str], str]) -> Bag:
    """Return the databag ``sample`` with one or two values lost, exchanged, or with ``damage``."""
    new = dict(sample)
    for _ in range(rng.randint(1, 2)):
        if not new:
            return new
        key = rng.choice(sorted(new))
        match rng.randrange(8):
            case 0:
                del new[key]
            case 1:
                new[key] = rng.choice(TEXTS)
            case 2:
                new[key] = new[rng.choice(sorted(new))]
            case _:
                new[key] = damage(rng, new[key])
    # Juju drops a value that is empty.
    return {key: utf8(text) for key, text in new.items() if text}


def utf8(sample: str) -> str:
    """Return ``sample`` as Juju can keep it: its text is UTF-8, without lone surrogates."""
    return sample.encode(errors="replace").decode()
