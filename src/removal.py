# SPDX-License-Identifier: Apache-2.0

"""What a unit's last hooks do: bring the machine and the cluster to nothing of ours."""

from __future__ import annotations

import functools
import logging

from cluster import api, references, services, teardown
from cluster.errors import errors_as_status
from cluster.teardown import Remains
from errors import Blocked, Unready, bugs_as_status
from hook import Hook
from juju import control_plane
from machine import files, webhook
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
    owner, memory, machine = hook.owner, hook.memory, hook.machine
    try:
        if with_file and not webhook.is_foreign(machine, owner):
            files.remove(machine.webhook)
        if "kubeconfig" in memory.told:
            files.remove(machine.login_kubeconfig)
    except Blocked as reason:
        logger.warning(status_line(reason))
    asks = functools.partial(webhook.asks, machine)
    # The control plane may render another address meanwhile.
    first = f"{_reset(machine, memory.address)}: " if asks(memory.address) else ""
    try:
        # What another Kubernetes has under the charm's names is somebody else's.
        if not control_plane.is_supported(machine) or hook.principal_leaves():
            return ""
        # A unit in error would never go.
        with bugs_as_status(hook.charm.unit.name), errors_as_status():
            client = api.connect(machine.admin_kubeconfig)

            def remove_service(stored: api.Object | None) -> str:
                known, keeps = memory.address, memory.keeps
                return services.remove(client, owner, stored, known, asks, is_keeper=keeps)

            remains = teardown.remove(client, owner, remove_service)
    except Unready as reason:
        remains = Remains({"all of it": reason})
    memory.keeps = memory.keeps or bool(remains.address)
    if remains.failed:
        what, reason = ", ".join(remains.failed), next(iter(remains.failed.values()))
        logger.warning(
            "the cluster keeps what this charm deployed (%s: %s); unless another application of "
            "this charm uses it, remove it with: %s%s",
            *(what, status_line(reason), first, references.removal_command()),
        )
    if remains.access:
        command = references.access_removal_command()
        logger.warning(waiting.MAPPINGS_LEFT(number=remains.access, command=command))
    if not remains.address:
        return ""
    principal = control_plane.principal_unit()
    logger.warning(
        "the Service stays: %s still sends logins to its address, and whoever has that reads "
        "their tokens. Delete it with: %s: %s",
        *(principal, _reset(machine, remains.address), references.service_removal(principal)),
    )
    return waiting.SERVICE_KEPT(command=control_plane.reset_command(machine, remains.address))


def _reset(machine: Machine, address: str) -> str:
    """Return what to do until no control plane sends logins to ``address``."""
    application = control_plane.application()
    shown = f"juju exec --application {application} -- grep _ENDPOINT {Machine().auth_webhook}"
    reset = control_plane.reset_command(machine, address)
    return f"first {reset}; then, when {shown} no longer shows {address}"
