# SPDX-License-Identifier: Apache-2.0

"""Texts: one line for a status, a short name, an address, base64. Pure."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Mapping, Sequence

# A longer cause would push the remedy out of sight in `juju status`.
_CAUSE_LENGTH = 100
# A cause with Kubernetes' own word before it is not longer, nor is an ARN without a path.
_QUOTED = 140
# The length of a status. What is wrong stands at its beginning, and the remedy at its end. Linux
# refuses to run a program, `status-set` too, with an argument of 128 KiB.
_BEGINNING, _END = 120, 180
# Unicode calls these printable, and fonts show nothing: fillers, joiners, variation selectors, and
# the empty Braille pattern. Juju quotes a result once more that has a character above U+FFFF.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U00010000-\U0010ffff]"
)
_WORD = re.compile(r"[A-Za-z0-9_+=,.@:/{}*-]*")
_SPACES = re.compile(r"[ \t-\r]+")


def brief(cause: BaseException | str) -> str:
    """Return ``cause`` on one line, and only the end of a long one.

    Causes are nested from the outside in: "no such host" stands after "failed to pull image".
    """
    if isinstance(cause, BaseException):
        cause = str(cause) or type(cause).__name__
    line = one_line(cause)
    return line if len(line) <= _CAUSE_LENGTH else "…" + line[1 - _CAUSE_LENGTH :]


def status_line(text: object) -> str:
    """Return ``text`` as Juju can show it: on one line, and a long one without its middle."""
    line = one_line(str(text))
    if len(line) <= _BEGINNING + _END:
        return line
    return f"{line[: _BEGINNING - 1]}…{line[-_END:]}"


def one_line(text: str) -> str:
    """Return ``text`` on one line, with what nobody can see in it escaped."""
    return _visible(_SPACES.sub(" ", text).strip(" "))


def cut(text: str, limit: int) -> str:
    """Return ``text``, and only the beginning of one that has more than ``limit`` bytes."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def first(lines: Sequence[str], most: int) -> list[str]:
    """Return the first of ``lines``, and how many more there are than ``most``."""
    more = len(lines) - most
    return [*lines[:most], f"and {more:,} more"] if more > 0 else [*lines]


def quoted(text: str) -> str:
    """Return ``text`` in quotes on one line, with what nobody can see in it escaped.

    Quote with this whatever the charm has not written or checked: then no word of it passes for
    the charm's own, such as `; run: COMMAND`.
    """
    return _visible(repr(text if len(text) <= _QUOTED else f"{text[: _QUOTED - 3]}..."))


def word(text: str) -> str:
    """Return ``text`` as it is if it is a plain word, as ARNs and names are, and else `quoted`.

    What strangers have written stands where a name is expected, and may be anything.
    """
    return text if _WORD.fullmatch(text) else quoted(text)


def command(*words: str) -> str:
    """Return a command for a shell, in which each of ``words`` stays one word as it is.

    Make each command with this that has a word of strangers in it.
    """
    import shlex

    return " ".join(
        shlex.quote(each) if one_line(each) == each else f"$'{''.join(map(_escaped, each))}'"
        for each in words
    )


def look_again(unit: str) -> str:
    """Return the command after which the charm of ``unit`` looks at everything again."""
    return f"juju exec --unit {unit} -- JUJU_DISPATCH_PATH=hooks/update-status ./dispatch"


def _escaped(character: str) -> str:
    """Return a character as it stands in a shell's quotes that begin with a dollar sign."""
    if character in "'\\":
        return f"\\{character}"
    is_plain = character != " " and _is_seen(character)
    return character if is_plain else f"\\U{ord(character):08x}"


def _visible(text: str) -> str:
    # No program takes a NUL or a lone surrogate in an argument, and `status-set` is one.
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_seen(c) else c.encode("unicode_escape").decode() for c in text)


def _is_seen(character: str) -> bool:
    return character.isprintable() and not _UNSEEN.match(character)


def fingerprint(text: str) -> str:
    """Return a short name for ``text``, which changes with it; empty for the empty text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""


def is_ip(text: str | None) -> bool:
    """Return whether ``text`` is an IP address, of either version and without a zone."""
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return False
    return not getattr(address, "scope_id", None)


def in_url(address: str) -> str:
    """Return an IP address as URLs have it: an IPv6 address in brackets."""
    return f"[{address}]" if ":" in address else address


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 mapping`` or ``1,200 mappings``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def in_base64(text: str) -> str:
    """Return ``text`` in base64, as Secrets and kubeconfigs have it."""
    return base64.b64encode(text.encode()).decode()


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with each name of ``values`` replaced by its value."""
    for name, value in values.items():
        text = text.replace(name, value)
    return text
