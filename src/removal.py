# SPDX-License-Identifier: Apache-2.0

"""What a unit's last hooks do: bring the machine and the cluster to nothing of ours."""

from __future__ import annotations

import functools
import logging

import internal_errors
from cluster import api, references, services, teardown
from cluster.errors import errors_as_status
from cluster.teardown import Remains
from errors import Blocked, Unready
from hook import Hook
from juju import control_plane
from machine import files
from machine.files import Machine
from statuses import waiting
from text import status_line

logger = logging.getLogger(__name__)


def run(hook: Hook, *, with_file: bool) -> str:
    """Remove what is the application's. Log what stays, and the commands that remove it.

    Every last hook of a unit runs this, because Juju may leave out the others. ``with_file``
    removes the webhook file too: the control plane must not look for it any more.

    While this machine's control plane sends logins to the Service, the Service stays, without
    pods: whoever got its address would get the tokens.

    Return what the operator must do first, as a status; empty if that is nothing.
    """
    if with_file:
        _remove_file(hook)
    memory, machine = hook.memory, hook.machine
    asks = functools.partial(control_plane.asks, machine)
    asked = memory.address if asks(memory.address) else ""
    try:
        # What another Kubernetes has under the charm's names is somebody else's.
        if not control_plane.is_supported(machine) or hook.principal_leaves():
            return ""
        # A unit in error would never go.
        with internal_errors.as_status(hook.charm.unit.name), errors_as_status():
            client = api.connect(machine.admin_kubeconfig)
            remains = teardown.remove(
                client,
                hook.owner,
                lambda stored: services.remove(
                    client, hook.owner, stored, memory.address, asks, is_keeper=memory.keeps
                ),
            )
    except Unready as reason:
        logger.warning(_left(machine, asked, status_line(reason)))
        return ""
    memory.keeps = memory.keeps or bool(remains.address)
    for line in _remaining(machine, asked, remains):
        logger.warning(line)
    if not remains.address:
        return ""
    return waiting.SERVICE_KEPT(command=control_plane.reset_command(machine, remains.address))


def _remove_file(hook: Hook) -> None:
    try:
        if not control_plane.is_webhook_foreign(hook.machine, hook.owner):
            files.remove(hook.machine.webhook)
    except Blocked as reason:
        logger.warning(status_line(reason))


def _remaining(machine: Machine, asked: str, remains: Remains) -> list[str]:
    """Return for the log what stays in the cluster, with the commands that remove it."""
    lines = list[str]()
    if remains.failed:
        reason = status_line(next(iter(remains.failed.values())))
        lines.append(_left(machine, asked, f"{', '.join(remains.failed)}: {reason}"))
    if remains.access:
        command = references.access_removal_command()
        lines.append(waiting.MAPPINGS_LEFT(number=remains.access, command=command))
    if remains.address:
        principal = control_plane.principal_unit()
        lines.append(
            f"the Service stays: {principal} still sends logins to its address, and whoever has "
            f"that reads their tokens. Delete it with: {_reset(machine, remains.address)}: "
            f"{references.service_removal(principal)}"
        )
    return lines


def _left(machine: Machine, asked: str, why: str) -> str:
    """Return what to do about everything that stays in the cluster, for this reason."""
    first = f"{_reset(machine, asked)}: " if asked else ""
    return (
        f"the cluster keeps what this charm deployed ({why}); unless another application of this "
        f"charm uses it, remove it with: {first}{references.removal_command()}"
    )


def _reset(machine: Machine, address: str) -> str:
    """Return what to do until no control plane sends logins to ``address``."""
    application = control_plane.application()
    shown = f"juju exec --application {application} -- grep _ENDPOINT {Machine().auth_webhook}"
    reset = control_plane.reset_command(machine, address)
    return f"first {reset}; then, when {shown} no longer shows {address}"
