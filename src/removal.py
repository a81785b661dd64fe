# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Remove the webhook file of a unit that goes, and the objects of an application that goes."""

from __future__ import annotations

import logging

import control_plane
import files
from cluster import api, manifests, objects
from errors import Blocked, Unready, status_line
from files import Machine
from owner import Owner

logger = logging.getLogger(__name__)


def run(machine: Machine, owner: Owner) -> None:
    """Remove what is ``owner``'s. Log what stays, and the command that removes it."""
    try:
        if not control_plane.is_webhook_foreign(machine, owner):
            files.remove(machine.webhook)
    except Blocked as reason:
        logger.warning(status_line(reason))
    try:
        if control_plane.is_leaving():
            return
        with api.errors_as_status():
            objects.remove(api.connect(machine.admin_kubeconfig), owner)
    except Unready as reason:
        logger.warning(
            "the cluster keeps what this charm deployed (%s); "
            "unless another application of this charm uses it, remove it with: %s",
            status_line(reason),
            manifests.removal_command(),
        )
