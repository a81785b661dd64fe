# SPDX-License-Identifier: Apache-2.0

"""What this unit remembers between its hooks, because neither Juju nor the cluster does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import ops

from text import fingerprint

T = TypeVar("T")


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

    # What Juju was told last: the fingerprints of words, by what they are about.
    told = Kept[Mapping[str, str]]({})

    # Whether this unit runs its last hooks, and whether it does because its control plane goes.
    leaves, principal_leaves = Kept(default=False), Kept(default=False)

    # Whether the alarm is to ring, when access ends next, or should have ended, and since when the
    # unit looks again at what others do: 0 for never.
    rings, end, since = Kept(default=False), Kept(0.0), Kept(0.0)

    # The Service's address, whether the control plane has ever asked it by its option, and whether
    # this unit has kept the Service as it went.
    address, was_set, keeps = Kept(""), Kept(default=False), Kept(default=False)
    # Until when the answer that the pair in use came from says all, and its fingerprint.
    answer = Kept("")

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, "memory")

    def write_once(self, about: str, words: object, write: Callable[[], bool]) -> bool:
        """Have ``write`` tell Juju ``words``, unless it was told these last; return whether it
        knew them.

        To ask what Juju knows is a process, and often a request. ``write`` returns whether it had
        to: what a hook has written is lost if the hook fails, so the next one writes it again.
        """
        text = fingerprint(repr(words))
        if self.told.get(about) == text:
            return True
        had_to = write()
        self.told = {**self.told, about: "" if had_to else text}
        return not had_to
