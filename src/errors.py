# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Why a unit cannot finish its work, said for the operator.

Every module raises these; ``charm.py`` alone turns them into a Juju status. Their text is one
line: what is wrong, then the command to run or the party to wait for.
"""

from __future__ import annotations

# A longer cause would push the remedy out of sight in `juju status`.
_CAUSE_LENGTH = 100
# The length of a status. What is wrong stands at its beginning, and the remedy at its end. Linux
# refuses to run a program, `status-set` too, with an argument of 128 KiB.
_BEGINNING, _END = 120, 180


class Unready(Exception):
    """The unit cannot finish its work now.

    Attributes:
        announced: Whether an event of Juju will say that this has changed. If not, the unit must
            look again by itself.
    """

    def __init__(self, text: str, *, announced: bool = True):
        super().__init__(text)
        self.announced = announced


class Blocked(Unready):
    """A person must act; the text says how."""


class Waiting(Unready):
    """Another party must act first; the text says which."""


class WaitingForKubeconfig(Waiting):
    """The control plane must first write an administrator's kubeconfig that works."""


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
    """Return ``text`` on one line, with nothing in it that Juju cannot show."""
    # A NUL or a lone surrogate cannot be an argument of a program such as `status-set`.
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def cut(text: str, limit: int) -> str:
    """Return ``text``, and only the beginning of one that has more than ``limit`` bytes."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"
