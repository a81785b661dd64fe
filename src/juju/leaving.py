# SPDX-License-Identifier: Apache-2.0

"""Whether this unit goes, and why: its control-plane unit goes, or the relation between them.

In the first case the cluster belongs to the other control planes, and stays as it is. Juju tells
no unit the reason, but its goal state does, as long as there is one.

Juju may leave out any of a unit's last hooks. Juju 4 lets the last unit of an application, if it
is blocked, out of its relations at once, and deletes it 20 to 30 seconds later, whichever hooks it
has had by then. So whichever hook comes first decides, even one that has nothing to do with a
removal, and this remembers it for the others.
"""

from __future__ import annotations

import ops

from errors import Waiting
from juju import control_plane
from memory import Memory
from related import RelatedCharm
from statuses import waiting


def note(charm: RelatedCharm, event: ops.EventBase) -> None:
    """Remember that this unit goes, if ``event`` says so. No unit of Juju returns.

    It goes with its last relation with a control plane: a subordinate stays no longer.
    """
    if isinstance(event, ops.RelationDepartedEvent):
        goes = event.departing_unit == charm.unit
    elif isinstance(event, ops.RelationBrokenEvent):
        is_control_plane = event.relation.name in control_plane.ENDPOINTS
        # After a restart of its agent, a unit may not have had the relation-created of the other.
        goes = is_control_plane and not control_plane.is_related(charm, newest=True)
        if is_control_plane and not goes and not charm.memory.principal_leaves:
            # This unit stays. When it goes later, it asks Juju again.
            charm.memory.principal_leaves = None
    else:
        goes = isinstance(event, (ops.StopEvent, ops.RemoveEvent))
    if goes:
        charm.memory.leaves = True


def note_peers(memory: Memory, *, is_readable: bool) -> None:
    """Remember that this unit goes, if Juju has let it out of its peer relation.

    Juju 4 still lists the relation then, and refuses to read it. It may do so too before a new
    unit has entered it.
    """
    if is_readable:
        memory.joined = True
    elif memory.joined:
        memory.leaves = True


def principal_leaves(memory: Memory) -> bool:
    """Return whether this unit goes because its control-plane unit goes. Raise `errors.Waiting`
    if Juju does not answer, and did not say so before."""
    known = memory.principal_leaves
    # Once this unit goes, the first answer counts: Juju may not give another one.
    if known is None or not (known or memory.leaves):
        known = memory.principal_leaves = _principal_goes()
    return known


def _principal_goes() -> bool:
    """Return whether this unit's control-plane unit goes, by Juju's goal state.

    Juju 4 lets a unit be dead before its subordinate's last hook, and lists it no more. A goal
    state without the relation says nothing.

    Raise `errors.Waiting` if Juju does not answer.
    """
    principal = control_plane.principal_unit()
    try:
        listed = control_plane.principals()
    except ops.hookcmds.Error as error:
        raise Waiting(waiting.REMOVAL_UNKNOWN(cause=error)) from error
    if principal in listed:
        return listed[principal] == "dying"
    return principal.partition("/")[0] in listed
