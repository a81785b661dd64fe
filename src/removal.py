# SPDX-License-Identifier: Apache-2.0

"""What a unit's last hooks do: bring the machine and the cluster to nothing of ours."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import internal_errors
from cluster import api, references, teardown
from cluster.errors import errors_as_status
from cluster.services import Askers
from cluster.teardown import Remains
from errors import Blocked, Unready
from hook import Hook
from juju import control_plane, leaving
from juju.peers import Asked
from machine import files
from machine.files import Machine
from statuses import blocked, waiting
from text import status_line

logger = logging.getLogger(__name__)


def run(hook: Hook, *, with_file: bool) -> str:
    """Remove what is the application's. Log what stays, and the commands that remove it.

    Every last hook of a unit runs this, because Juju may leave out the others. ``with_file``
    removes the webhook file too: the control plane must not look for it any more.

    While a control plane still sends logins to the Service, the Service stays, without pods:
    whoever got its address would get the tokens.

    Return what the operator must do first, as a status; empty if that is nothing.
    """
    if with_file:
        _remove_file(hook)
    asked = [each for each in hook.all_asked() if each.address]
    try:
        # What another Kubernetes has under the charm's names is somebody else's.
        if not control_plane.is_supported(hook.machine) or leaving.principal_leaves(hook.memory):
            return ""
        # A unit in error would never go.
        with internal_errors.as_status(hook.charm.unit.name), errors_as_status():
            client = api.connect(hook.machine.admin_kubeconfig)
            # The first of these is this unit's own control plane, whose word counts.
            by_unit = {each.principal: each.address for each in reversed(asked)}
            own, known = control_plane.principal_unit(), hook.memory.address
            remains = teardown.remove(client, hook.owner, Askers(by_unit, own, known))
    except Unready as reason:
        hook.memory.log_once(_left(asked, status_line(reason)))
        return ""
    hook.memory.log_once("\n".join(_remaining(remains, asked)))
    return _to_do(remains.kept, asked)


def _remove_file(hook: Hook) -> None:
    try:
        if not control_plane.is_webhook_foreign(hook.machine, hook.owner):
            files.remove(hook.machine.webhook)
    except Blocked as reason:
        logger.warning(status_line(reason))


def _remaining(remains: Remains, asked: Sequence[Asked]) -> list[str]:
    """Return for the log what stays in the cluster, with the commands that remove it."""
    lines = list[str]()
    if remains.failed:
        reason = status_line(next(iter(remains.failed.values())))
        lines.append(_left(asked, f"{', '.join(remains.failed)}: {reason}"))
    if remains.access:
        command = references.access_removal_command()
        lines.append(waiting.MAPPINGS_LEFT(number=remains.access, command=command))
    for each in asked:
        if each.address not in remains.kept:
            continue
        if name := remains.kept[each.address]:
            lines.append(
                f"Service {name} stays: {each.principal} still sends logins to its address, and "
                f"whoever has that reads their tokens. Delete it with: {_reset(each)}: "
                f"{references.service_removal(control_plane.principal_unit(), name)}"
            )
        else:
            reset = control_plane.reset_command(each)
            lines.append(f"another Service may have {each.address}; run: {reset}")
    return lines


def _left(asked: Sequence[Asked], why: str) -> str:
    """Return what to do about everything that stays in the cluster, for this reason."""
    first = "".join(f"{_reset(each)}: " for each in asked[:1])
    return (
        f"the cluster keeps what this charm deployed ({why}); unless another application of this "
        f"charm uses it, remove it with: {first}{references.removal_command()}"
    )


def _to_do(kept: Mapping[str, str], asked: Sequence[Asked]) -> str:
    """Return the first command, if a control plane must stop asking."""
    for each in asked:
        if each.address in kept:
            command = control_plane.reset_command(each)
            if kept[each.address]:
                return waiting.SERVICE_KEPT(command=command)
            return blocked.ADDRESS_TAKEN(command=command)
    return ""


def _reset(asked: Asked) -> str:
    """Return what to do until no control plane sends logins to an address."""
    application = asked.principal.partition("/")[0]
    shown = f"juju exec --application {application} -- grep _ENDPOINT {Machine().auth_webhook}"
    reset = control_plane.reset_command(asked)
    return f"first {reset}; then, when {shown} no longer shows {asked.address}"
