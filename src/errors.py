"""Why a unit cannot finish its work, said for the operator.

Every module raises these; ``charm.py`` alone turns them into a Juju status. Their text is one
line: what is wrong, then the command to run or the party to wait for.
"""

from __future__ import annotations

# A longer cause would push the remedy out of sight in `juju status`.
_CAUSE_LENGTH = 100


class Unready(Exception):
    """The unit cannot finish its work now."""


class Blocked(Unready):
    """A person must act; the text says how."""


class Waiting(Unready):
    """Another party must act first; the text says which."""


def brief(cause: BaseException | str) -> str:
    """Return ``cause`` on one line, and only the end of a long one.

    Causes are nested from the outside in: "no such host" stands after "failed to pull image".
    """
    if isinstance(cause, BaseException):
        cause = str(cause) or type(cause).__name__
    line = " ".join(cause.split())
    return line if len(line) <= _CAUSE_LENGTH else "…" + line[1 - _CAUSE_LENGTH :]
