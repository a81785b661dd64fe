# SPDX-License-Identifier: Apache-2.0

"""The reconcile, which every event runs: what it does depends on the state, never on the event."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import cos
from errors import Waiting
from hook import Hook
from juju import control_plane
from juju.peers import Shared
from juju.wake import SECONDS
from machine import webhook_file
from migration import reactive
from statuses import active, waiting

if TYPE_CHECKING:
    from juju.control_plane import ControlPlane
    from leader.access import Ending


class Reconcile:
    """The reconcile of one hook."""

    def __init__(self, hook: Hook):
        self._hook = hook

    @functools.cached_property
    def _ending(self) -> Ending:
        from leader.access import Ending

        hook = self._hook
        return Ending(hook.wake, hook.peers, hook.owner, hook.config)

    def run(self) -> tuple[str, float | None]:
        """Bring everything to its desired state.

        Return the line of an active status, and in how many seconds the unit must look again:
        None if an event announces what is still to be done, or nothing is.

        Raises:
            errors.Unready: somebody else must act first.
        """
        hook = self._hook
        reactive.remove_files(hook.machine)
        reactive.remove_trust(hook.machine, hook.owner.application)
        # Before it has its control plane, a unit asks Juju for no more.
        try:
            principal = hook.principal
            control_plane.check_supported(hook.charm, hook.machine)
            return self._serve(principal)
        finally:
            # Somebody may answer in the authenticator's place: that comes before all else.
            control_plane.check_address(hook.machine, lambda: hook.peers.shared.lost)

    def _serve(self, principal: ControlPlane) -> tuple[str, float | None]:
        """Bring the authenticator to its desired state, as `run` does."""
        hook = self._hook
        config = hook.config.checked()
        if not hook.peers.joined:
            raise Waiting(waiting.PEER_RELATION(), announced=True)
        control_plane.await_api_server(principal, hook.requirer)
        shared = hook.peers.shared.of_relations(principal.relations)
        if hook.leads:
            # Only a unit that leads needs this, so the hooks of the others start sooner.
            from leader import steps

            line, seconds = steps.lead(hook, config, self._ending, shared)
            hook.wake.expect(self._ending.next_end)
        else:
            line, seconds = self._follow(shared)
            hook.charm.tell_version(config.version)
        if step := control_plane.next_step(principal, hook.machine, hook.peers.shared.address):
            return f"{line}, {step}", seconds or SECONDS
        return line, seconds

    def end_access(self) -> None:
        """End access in a leader's hook whose reconcile did not come to it."""
        hook = self._hook
        # An application without control planes lets nobody in.
        if not hook.leads or not control_plane.is_related(hook.charm):
            return
        if not hook.peers.shared.serving:
            return
        if self._ending.end_unless_done(lambda: hook.client):
            cos.note_end(hook.charm, hook.owner, hook.peers, self._ending.next_end)
        if self._ending.done:
            hook.wake.expect(self._ending.next_end)

    def _follow(self, shared: Shared) -> tuple[str, float | None]:
        """Bring this unit's control plane to what the leader published."""
        hook = self._hook
        hook.wake.expect(None)
        hook.tell_control_plane(shared)
        # Only the leader asks for a certificate.
        hook.charm.tell("certificates", (), self._withdraw)
        if not shared.serving:
            raise Waiting(waiting.LEADER_TO_DEPLOY(), announced=True)
        cos.follow(hook.charm, hook.owner, shared.facts)
        return active.WEBHOOK(url=webhook_file.endpoint(shared.address)), None

    def _withdraw(self) -> bool:
        self._hook.memory.asks = False
        return self._hook.certificates.withdraw()
