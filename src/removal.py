# SPDX-License-Identifier: Apache-2.0

"""Remove the webhook file of a unit that goes, and the objects of an application that goes."""

from __future__ import annotations

import logging

import internal_errors
from cluster import api, kept_service, references, teardown
from cluster.errors import errors_as_status
from errors import Blocked, Unready, Waiting
from juju import control_plane
from juju.leaving import Leaving
from machine import files
from machine.files import Machine
from owner import Owner
from statuses import waiting
from text import status_line

logger = logging.getLogger(__name__)


def run(machine: Machine, owner: Owner, leaving: Leaving, unit: str) -> Waiting | None:
    """Remove what is ``owner``'s. Log what stays, and the commands that remove it.

    It runs in more than one of a unit's last hooks, because Juju may leave out the others.

    While this unit's control plane still sends logins to the Service, the Service stays, without
    pods: whoever got its address would get the tokens. Each unit knows its own control plane only:
    it never deletes a Service that another unit kept, and recreates one that its own still uses.

    ``unit`` is this unit's name. Return what the operator must do first, if anything.
    """
    try:
        if not control_plane.is_webhook_foreign(machine, owner):
            files.remove(machine.webhook)
    except Blocked as reason:
        logger.warning(status_line(reason))
    principal, asked = control_plane.principal_unit(), control_plane.asked_address(machine)
    kept: kept_service.Kept | None = None
    try:
        # What another Kubernetes has under the charm's names is somebody else's.
        if not control_plane.is_supported(machine) or leaving.principal_leaves():
            return None
        # A unit in error would never go.
        with internal_errors.as_status(unit), errors_as_status():
            client = api.connect(machine.admin_kubeconfig)
            if asked:
                kept = kept_service.keep(client, owner, asked, principal)
            left = teardown.remove(client, owner)
        if left:
            command = references.access_removal_command()
            logger.warning(waiting.MAPPINGS_LEFT(number=f"{left:,}", command=command))
    except Unready as reason:
        reset = control_plane.reset_command(principal)
        first = f"first {reset}; then " if asked else ""
        logger.warning(
            "the cluster keeps what this charm deployed (%s); "
            "unless another application of this charm uses it, remove it with: %s%s",
            status_line(reason),
            first,
            references.removal_command(),
        )
    return _next_step(kept, principal) if kept else None


def _next_step(kept: kept_service.Kept, principal: str) -> Waiting:
    """Return the status with the first command, and log all of them in their order."""
    reset = control_plane.reset_command(principal)
    address = kept.address
    danger = f"the control plane still sends logins to {address}, and whoever has that address"
    if not kept.service:
        logger.warning(
            "another Service may have it: %s reads their tokens. Run: %s", danger, reset
        )
        return Waiting(waiting.ADDRESS_TAKEN(command=reset))
    logger.warning(
        "the Service stays: %s reads their tokens. First run: %s. "
        "When juju status shows its units idle, run: %s",
        danger,
        reset,
        references.service_removal(principal, kept.service),
    )
    return Waiting(waiting.SERVICE_KEPT(command=reset))
