# SPDX-License-Identifier: Apache-2.0

"""What a unit asks Juju of its relations: each question is a process, and some a request to Juju's
controller, so a settled hook asks for no more than what may have changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ops

from memory import Memory


class RelatedCharm(ops.CharmBase):
    """A charm that remembers which endpoints have no relation, and what Juju knows of it."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.memory = Memory(self)

    def note(self, event: ops.EventBase) -> None:
        """Note that an endpoint has a relation, if ``event`` is about one.

        Juju begins each relation with relation-created, and repeats that until it has succeeded.
        """
        if isinstance(event, ops.RelationEvent):
            self.memory.unrelated = {*self.memory.unrelated} - {event.relation.name}

    def related(self, endpoint: str, *, newest: bool = False) -> Sequence[ops.Relation]:
        """Return the relations of ``endpoint``, without one that breaks now.

        Juju lists a new relation before its relation-created, and in hooks in between: ``newest``
        sees it then.
        """
        if endpoint in self.memory.unrelated and not newest:
            return []
        found = self.model.relations[endpoint]
        if not found:
            self.memory.unrelated = {*self.memory.unrelated, endpoint}
        return found

    def write_once(self, endpoint: str, words: object, write: Callable[[], bool]) -> bool:
        """Have ``write`` put ``words`` into the unit's databag; return whether Juju had them.

        Only this unit changes its databags. ``write`` returns whether it had to: what a hook has
        written is lost if the hook fails, so the next one reads it again.
        """
        text = repr(words)
        if self.memory.is_told(endpoint, text):
            return True
        had_to = write()
        self.memory.note_told(endpoint, "" if had_to else text)
        return not had_to

    def tell_version(self, version: str) -> None:
        """Set the workload's version, unless Juju has it.

        Every unit does: Juju shows the version of the unit that told or lacked one last.
        """
        if not self.memory.is_told("version", version):
            self.unit.set_workload_version(version)
            self.memory.note_told("version", version)
