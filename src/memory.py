# SPDX-License-Identifier: Apache-2.0

"""What this unit remembers between its hooks, because neither Juju nor the cluster does."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Generic, TypeVar

import ops

from text import fingerprint

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Kept(Generic[T]):
    """A part of the record. A hook that changes none writes none."""

    def __init__(self, default: T):
        self._default = default

    def __set_name__(self, memory: type[Memory], name: str) -> None:
        self._name = name

    def __get__(self, memory: Memory, _: type[Memory]) -> T:
        return getattr(memory.stored, self._name, self._default)

    def __set__(self, memory: Memory, value: T) -> None:
        if value != getattr(memory.stored, self._name, self._default):
            setattr(memory.stored, self._name, value)


class Memory(ops.Object):
    """The record. Times are in seconds since 1970."""

    stored = ops.StoredState()

    unrelated = Kept[Collection[str]](frozenset())  # The endpoints without a relation.
    # What Juju was told last: the fingerprints of words, by what they are about.
    told = Kept[Mapping[str, str]]({})

    # Whether this unit has ever been in its peer relation, whether it runs its last hooks, and
    # whether it does because its control-plane unit goes: None while Juju has not said so.
    joined, leaves = Kept(default=False), Kept(default=False)
    principal_leaves = Kept[bool | None](None)

    # Whether the alarm is to ring, and when access ends next, or should have ended: 0 for never.
    rings, end = Kept(default=False), Kept(0.0)
    wait, since = Kept(""), Kept(0.0)  # What the unit waits for, and since when.

    # The Service's address, whether the control plane has ever asked it by its option, and whether
    # this unit has kept the Service as it went.
    address, was_set, keeps = Kept(""), Kept(default=False), Kept(default=False)
    # Until when the answer that the pair in use came from says all, and its fingerprint.
    answer = Kept("")

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, "memory")

    def is_told(self, about: str, words: str) -> bool:
        """Return whether ``words`` are what Juju was told last."""
        return self.told.get(about, "") == fingerprint(words)

    def note_told(self, about: str, words: str) -> None:
        """Remember that Juju was told ``words``; if they are empty, it is to be told again."""
        self.told = {**self.told, about: fingerprint(words)}

    def log_once(self, text: str) -> None:
        """Log ``text`` as warnings, a line each, unless it is what was logged last."""
        if self.is_told("log", text):
            return
        for line in text.splitlines():
            logger.warning(line)
        self.note_told("log", text)
