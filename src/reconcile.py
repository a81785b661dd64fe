# SPDX-License-Identifier: Apache-2.0

"""The reconcile, which every event runs: what it does depends on the state, never on the event."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import cos
from errors import Waiting
from hook import Hook
from juju import control_plane
from juju.alarm import SECONDS
from juju.peers import Shared
from machine import reactive, webhook_file
from publishing import Publisher
from statuses import active, waiting

if TYPE_CHECKING:
    from leader.access import Ending


class Reconcile:
    """The reconcile of one hook."""

    def __init__(self, hook: Hook):
        self._hook = hook

    @functools.cached_property
    def _ending(self) -> Ending:
        from leader.access import Ending

        hook = self._hook
        return Ending(hook.alarm, hook.peers, hook.owner, hook.config)

    def run(self) -> tuple[str, float | None]:
        """Bring everything to its desired state.

        Return the line of an active status, and in how many seconds the unit must look again:
        None if an event announces what is still to be done, or nothing is.

        Raises:
            errors.Unready: somebody else must act first.
        """
        hook = self._hook
        charm, machine, peers = hook.charm, hook.machine, hook.peers
        reactive.remove_files(machine)
        reactive.remove_trust(machine, hook.owner.application)
        config = hook.config.checked()
        principal = control_plane.find(charm, peers.shared.relations)
        control_plane.check_supported(charm, machine)
        if not peers.joined:
            raise Waiting(waiting.PEER_RELATION(), announced=True)
        control_plane.await_api_server(principal, hook.requirer)
        shared = peers.shared.of_relations(principal.relations)
        publisher = Publisher(peers, machine, hook.requirer, hook.owner, principal)
        if hook.leads:
            # Only a unit that leads needs this, so the hooks of the others start sooner.
            from leader import steps

            line, seconds = steps.lead(hook, config, publisher, self._ending, shared)
            hook.alarm.expect(self._ending.next_end)
        else:
            line, seconds = _follow(hook, publisher, shared)
        if step := control_plane.next_step(principal, machine, peers.shared.address):
            return f"{line}, {step}", seconds or SECONDS
        return line, seconds

    def end_access(self) -> None:
        """End access in a leader's hook whose reconcile did not come to it."""
        hook = self._hook
        if not hook.leads:
            return
        if self._ending.end_unless_done(lambda: hook.client):
            cos.note_end(hook.charm, hook.owner, hook.peers, self._ending.next_end)
        if self._ending.done:
            hook.alarm.expect(self._ending.next_end)


def _follow(hook: Hook, publisher: Publisher, shared: Shared) -> tuple[str, float | None]:
    """Bring this unit's control plane to what the leader published."""
    hook.alarm.expect(None)
    publisher.tell_control_plane(shared)
    hook.certificates.withdraw()
    if not shared.serving:
        raise Waiting(waiting.LEADER_TO_DEPLOY(), announced=True)
    cos.follow(hook.charm, hook.owner, shared.facts)
    line = active.WEBHOOK(url=webhook_file.endpoint(shared.address))
    return line, None
