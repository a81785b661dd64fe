"""Why a unit cannot go on, said for the operator.

Each room raises one of these; ``charm.py`` alone turns them into a Juju status. The text is
one line: what is missing or wrong, and what to do about it.
"""

from __future__ import annotations


class Unready(Exception):
    """The unit cannot finish its work now."""


class Blocked(Unready):
    """A person must act; the text says how."""


class Waiting(Unready):
    """Another party must act first; the text says who."""
