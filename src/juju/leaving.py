# SPDX-License-Identifier: Apache-2.0

"""Whether this unit goes, and why: its control-plane unit goes, or the relation between them.

In the first case the cluster belongs to the other control planes, and stays as it is. Juju tells
no unit the reason, but its goal state does, as long as there is one.
"""

from __future__ import annotations

import ops

from errors import Waiting
from juju import control_plane
from statuses import waiting


class Leaving(ops.Object):
    """Remembers that this unit goes, or its control-plane unit. No unit of Juju returns."""

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, "leaving")
        self._stored.set_default(leaving=False, begun=False)

    def note(self, event: ops.RelationDepartedEvent) -> None:
        """Remember that this unit goes, if it is the one that departs."""
        if event.departing_unit == self.model.unit:
            self._stored.begun = True

    @property
    def unit_leaves(self) -> bool:
        """Return whether this unit runs its last hooks."""
        return bool(self._stored.begun)

    def principal_leaves(self) -> bool:
        """Return whether this unit goes because its control-plane unit goes.

        Raises:
            errors.Waiting: Juju does not answer, and did not say so before.
        """
        if not self._stored.leaving and _is_principal_going():
            self._stored.leaving = True
        return bool(self._stored.leaving)


def _is_principal_going() -> bool:
    """Return whether the control-plane unit goes, by Juju's goal state.

    That lists each relation's application, and its units that are alive or dying. Juju 4 lets a
    unit be dead before its subordinate's last hook. It lists no relation that is gone, and never
    a subordinate's own units, so ``planned_units`` is no help here.
    """
    principal, application = control_plane.principal_unit(), control_plane.application()
    try:
        relations = ops.hookcmds.goal_state().relations
    except ops.hookcmds.Error as error:
        raise Waiting(waiting.REMOVAL_UNKNOWN(cause=error)) from error
    for endpoint in control_plane.ENDPOINTS:
        goals = relations.get(endpoint, {})
        if principal in goals:
            if goals[principal].status == "dying":
                return True
        elif application in goals:
            return True
    return False
