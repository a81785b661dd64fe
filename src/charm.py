#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""The aws-iam charm: which events it observes, and the reconcile that each of them runs.

Data flows one way: Juju's state → desired objects → cluster, file, relation data → status.
"""

from __future__ import annotations

import contextlib
import gc

if __name__ == "__main__":
    # The process lives for a fraction of a second, so a collection finds no garbage worth its
    # time; and the imports below would cause most of the collections. With them, a settled hook
    # takes 13 % longer on a leader, and 17 % on another unit.
    gc.disable()

import logging
from typing import TYPE_CHECKING

import ops

import cos
import reconcile
from errors import Blocked, Unready, bugs_as_status
from hook import Hook
from juju import control_plane, peers, trust
from machine.files import Machine
from statuses import waiting
from text import status_line

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER_ENDPOINTS = ("certificates", trust.ENDPOINT, cos.ENDPOINT)
LIBRARIES = ("ops", "charmlibs", "httpcore2", "httpx2", "lightkube")
ALL_ENDPOINTS = (*control_plane.ENDPOINTS, *OTHER_ENDPOINTS, peers.RELATION)


class AwsIamCharm(ops.CharmBase):
    """A subordinate of kubernetes-control-plane that serves its authentication webhook."""

    machine = Machine()

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self._status: ops.StatusBase | None = None
        self._hook = Hook(self, self.machine)

        for name in control_plane.ENDPOINTS:
            framework.observe(self.on[name].relation_departed, self._on_control_plane_departed)
        for event in (
            self.on.install,
            self.on.upgrade_charm,
            self.on.config_changed,
            self.on.start,
            self.on.leader_elected,
            self.on.update_status,
            self.on.secret_expired,
            self.on.secret_remove,
            self.on.stop,
            self.on.remove,
            *(self.on[name].relation_created for name in ALL_ENDPOINTS),
            *(self.on[name].relation_changed for name in ALL_ENDPOINTS),
            *(self.on[name].relation_broken for name in ALL_ENDPOINTS),
            self.on[peers.RELATION].relation_departed,
        ):
            framework.observe(event, self._on_any_event)
        for name in ("certificates", cos.ENDPOINT):
            framework.observe(self.on[name].relation_departed, self._on_departed)
        for name in self.meta.actions:
            framework.observe(self.on[name].action, self._on_action)
        framework.observe(self.on.collect_unit_status, self._on_collect_status)
        framework.observe(self.on.collect_app_status, self._on_collect_status)

    def _on_any_event(self, event: ops.EventBase) -> None:
        hook = self._hook
        self._on_departed(event)
        if hook.memory.leaves:
            return
        hook.wake.note(event)
        try:
            with bugs_as_status(self.unit.name):
                if isinstance(event, ops.SecretEvent | ops.RelationBrokenEvent) and hook.leads:
                    hook.certificates.on_event(event)
                line = reconcile.run(hook)
            self._status = ops.ActiveStatus(status_line(line))
        except Unready as reason:
            self._status = _status_of(reason)
            hook.wake.polls |= not all(each.announced for each in (reason, *hook.problems))
            self._attempt(lambda: reconcile.end_access(hook))
        self._attempt(hook.wake.again)

    def _attempt(self, step: Callable[[], None]) -> None:
        """Take a step that follows the reconcile. A bug in it is this unit's status."""
        try:
            with bugs_as_status(self.unit.name):
                step()
        except Unready as reason:
            self._status = _status_of(reason)

    def _on_collect_status(self, event: ops.CollectStatusEvent) -> None:
        """Let the application's line be its leader's too: Juju would choose any unit's."""
        if self._status and not self._hook.memory.leaves:
            event.add_status(self._status)

    def _on_departed(self, event: ops.EventBase) -> None:
        """Clean up if this unit goes. Whatever else departs, relation-broken follows."""
        self._attempt(lambda: self._hook.note(event))
        if self._hook.memory.leaves:
            self._remove(event)

    def _on_control_plane_departed(self, event: ops.RelationDepartedEvent) -> None:
        if event.unit.name == control_plane.principal_unit():
            self._attempt(lambda: self._withdraw(event.relation.name))
        self._on_departed(event)

    def _withdraw(self, endpoint: str) -> None:
        hook = self._hook
        # Juju 4 fails the whole hook for a databag whose relation it takes away meanwhile.
        if endpoint == control_plane.RELATION and hook.peers.joined:
            # The file goes in a later hook: by then the control plane must not look for it.
            hook.memory.write_once(endpoint, "", lambda: hook.requirer.withdraw() or True)
        with contextlib.suppress(Unready):
            # Later hooks ask again, but may hear less.
            hook.principal_leaves()

    def _remove(self, event: ops.EventBase) -> None:
        """Bring the machine and the cluster to nothing of ours, in each of the last hooks."""
        import removal

        # Juju 4 ends a going unit that is blocked before its last hooks, so tell it at once.
        self._show("")
        try:
            with bugs_as_status(self.unit.name):
                # As long as a relation departs, the control plane may look for the file.
                departs = isinstance(event, ops.RelationDepartedEvent)
                to_do = removal.run(self._hook, with_file=not departs)
        except Unready as reason:
            to_do = str(reason)
        self._show(to_do)

    def _show(self, to_do: str) -> None:
        """Show that a unit goes, or what is to be done first. Juju 4 may know the unit no more.

        Juju keeps the application's line after its last unit, so the leader makes sure that it no
        longer says that people can log in. If only its own principal goes, other units serve on.
        """
        with contextlib.suppress(ops.ModelError, ops.hookcmds.Error, Unready):
            self.unit.status = ops.WaitingStatus(status_line(to_do or waiting.REMOVAL()))
            if self.unit.is_leader() and not self._hook.principal_leaves():
                line = status_line(to_do or waiting.ANOTHER_UNIT())
                self.app.status = ops.WaitingStatus(line)

    def _on_action(self, event: ops.ActionEvent) -> None:
        import actions

        actions.answer(event, self._hook)


def _status_of(reason: Unready) -> ops.StatusBase:
    status = ops.BlockedStatus if isinstance(reason, Blocked) else ops.WaitingStatus
    return status(status_line(reason))


def quieten_libraries() -> None:
    """Log no more than warnings of libraries: these log each request and each step, which says
    nothing about this charm, and each line is a hook-tool call."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    # ops says each step of a hook by the root logger itself. What other loggers hand to the root
    # logger's handlers does not pass its filters.
    logging.getLogger().addFilter(lambda record: record.levelno > logging.DEBUG)


if __name__ == "__main__":
    quieten_libraries()
    ops.main(AwsIamCharm)
    # Python would look for garbage again and again as it ends.
    gc.freeze()
