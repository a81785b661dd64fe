"""Damaged inputs, as Hypothesis strategies: what somebody cuts off, exchanges or makes up."""

from __future__ import annotations

import base64
import copy
import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import hypothesis.strategies as st

# What programs of all kinds read wrongly.
TEXTS = (
    *("", " ", "\n", "\0", "\x1b[31m", "\u2028", "\u202e", "\N{PILE OF POO}", "İ", "null", "true"),
    *("[]", "{}", "0", "-1", "1e999", "NaN", "'", '"', "{{ 1 }}", "${x}", "&a [*a, *a]"),
    *("!!python/object:os.system", "../../../etc/passwd", "-----BEGIN CERTIFICATE-----"),
)
LONG = ("9" * 5_000, "x" * 140_000, "[" * 100_000, '{"a":' * 50_000)
_VALUES: tuple[Any, ...] = (None, True, 0, -1, 2**63, 1e308, "", "x", [], {}, [None], {"": None})
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----\n(.*?)\n-----END \1-----", re.DOTALL)


@st.composite
def text(draw: st.DrawFn, sample: str, others: Sequence[str] = ()) -> str:
    """``sample`` with one to three edits, or something else in its place."""
    if draw(st.integers(0, 7)) == 7:
        return draw(st.sampled_from((*TEXTS, *LONG)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(sample)))
        end = min(len(sample), start + draw(st.sampled_from((0, 1, 2, 5, 20, 200, 10_000))))
        part = sample[start:end]
        new = draw(st.sampled_from(("", part * 2, part.swapcase(), *others, *TEXTS)))
        sample = sample[:start] + new + sample[end:]
    return sample


@st.composite
def value(draw: st.DrawFn, sample: Any) -> Any:
    """A JSON value of which one to three parts are missing or something else."""
    holder = [copy.deepcopy(sample)]
    for _ in range(draw(st.integers(1, 3))):
        if not (places := _places(holder)):
            return None
        container, key = draw(st.sampled_from(places))
        old = container[key]
        kind = draw(st.sampled_from(("gone", "listed", "wrapped", "edited", "other")))
        if kind == "gone":
            del container[key]
        elif kind == "edited" and isinstance(old, str):
            container[key] = draw(text(old))
        else:
            other = draw(st.sampled_from((*_VALUES, *TEXTS)))
            container[key] = {"listed": [old], "wrapped": {"x": old}}.get(kind, other)
    return holder[0] if holder else None


def _places(holder: Any) -> list[tuple[Any, Any]]:
    """Every part, by what has it and its key or index."""
    found: list[tuple[Any, Any]] = []
    pairs = list(holder.items() if isinstance(holder, dict) else enumerate(holder))
    for key, inner in pairs:
        found.append((holder, key))
        if isinstance(inner, dict | list):
            found += _places(inner)
    return found


@st.composite
def json_text(draw: st.DrawFn, sample: str) -> str:
    """The JSON text ``sample`` with another value in it, or with damaged text."""
    if draw(st.booleans()):
        return draw(text(sample))
    try:
        known = json.loads(sample)
    except ValueError:
        # What is damaged may be damaged again.
        return draw(text(sample))
    return json.dumps(draw(value(known)))


@st.composite
def pem(draw: st.DrawFn, sample: str) -> str:
    """The PEM text ``sample`` with a damaged block, or with damaged text."""
    blocks = list(_BLOCK.finditer(sample))
    if not blocks or draw(st.integers(0, 4)) == 4:
        return draw(text(sample))
    block = draw(st.sampled_from(blocks))
    try:
        body = bytearray(base64.b64decode(block[2]))
    except ValueError:
        # What is damaged may be damaged again.
        return draw(text(sample))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        body[start : start + draw(st.sampled_from((0, 1, 4, 40)))] = draw(st.binary(max_size=4))
    lines = "\n".join(textwrap.wrap(base64.b64encode(body).decode(), 64))
    return sample[: block.start(2)] + lines + sample[block.end(2) :]


@st.composite
def bag(
    draw: st.DrawFn,
    sample: Mapping[str, str],
    damage: Callable[[str], st.SearchStrategy[str]] = text,
) -> dict[str, str]:
    """The databag ``sample`` with one or two values lost, exchanged or damaged."""
    new = dict(sample)
    for _ in range(draw(st.integers(1, 2))):
        if new:
            key = draw(st.sampled_from(sorted(new)))
            other = draw(st.sampled_from(sorted(new.values())) | st.sampled_from((*TEXTS, *LONG)))
            new[key] = draw(damage(new[key]) | st.just(other) | st.just(""))
            # Juju drops a value that is empty.
            new = {name: text for name, text in new.items() if text}
    return new
