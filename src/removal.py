# SPDX-License-Identifier: Apache-2.0

"""Remove the webhook file of a unit that goes, and the objects of an application that goes."""

from __future__ import annotations

import logging

import internal_errors
from cluster import api, references, services, teardown
from cluster.errors import errors_as_status
from errors import Blocked, Unready, Waiting
from juju import control_plane
from juju.leaving import Leaving
from machine import files
from machine.files import Machine
from owner import Owner
from statuses import blocked, waiting
from text import status_line

logger = logging.getLogger(__name__)

# Where each control plane says whom it asks.
_ASKED = f"CUSTOM_AUTHN_ENDPOINT {Machine().auth_webhook}"


def run(
    machine: Machine, owner: Owner, leaving: Leaving, unit: str, address: str
) -> Waiting | None:
    """Remove what is ``owner``'s. Log what stays, and the commands that remove it.

    It runs in more than one of a unit's last hooks, because Juju may leave out the others.

    While this unit's control plane still sends logins to the Service, the Service stays, without
    pods: whoever got its address would get the tokens.

    ``unit`` is this unit's name, and ``address`` the Service's as it knew it last. Return what the
    operator must do first, if anything.
    """
    try:
        if not control_plane.is_webhook_foreign(machine, owner):
            files.remove(machine.webhook)
    except Blocked as reason:
        logger.warning(status_line(reason))
    principal, asked = control_plane.principal_unit(), control_plane.asked_address(machine)
    kept: str | None = None
    try:
        # What another Kubernetes has under the charm's names is somebody else's.
        if not control_plane.is_supported(machine) or leaving.principal_leaves():
            return None
        # A unit in error would never go.
        with internal_errors.as_status(unit), errors_as_status():
            client = api.connect(machine.admin_kubeconfig)
            if asked:
                kept = services.keep(client, owner, asked, address)
            left = teardown.remove(client, owner)
        if left:
            command = references.access_removal_command()
            logger.warning(waiting.MAPPINGS_LEFT(number=f"{left:,}", command=command))
    except Unready as reason:
        first = f"{_reset(asked, principal)}: " if asked else ""
        logger.warning(
            "the cluster keeps what this charm deployed (%s); "
            "unless another application of this charm uses it, remove it with: %s%s",
            status_line(reason),
            first,
            references.removal_command(),
        )
    return None if kept is None else _next_step(asked, kept, principal)


def _next_step(asked: str, kept: str, principal: str) -> Waiting:
    """Return the status with the first command, and log all of them in their order."""
    reset = control_plane.reset_command(principal)
    if not kept:
        logger.warning("another Service may have %s; run: %s", asked, reset)
        return Waiting(blocked.ADDRESS_TAKEN(command=reset))
    logger.warning(
        "Service %s stays: the control plane still sends logins to its address, and whoever has "
        "that reads their tokens. Delete it with: %s: %s",
        kept,
        _reset(asked, principal),
        references.service_removal(principal, kept),
    )
    return Waiting(waiting.SERVICE_KEPT(command=reset))


def _reset(asked: str, principal: str) -> str:
    """Return what to do until no control plane sends logins to the address ``asked``."""
    shown = f"juju exec --application {control_plane.application()} -- grep {_ASKED}"
    reset = control_plane.reset_command(principal)
    return f"first {reset}; then, when {shown} no longer shows {asked}"
