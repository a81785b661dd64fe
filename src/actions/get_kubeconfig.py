# SPDX-License-Identifier: Apache-2.0

"""`get-kubeconfig`: the kubeconfig with which a person logs in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import login_kubeconfig
from actions import MAX_BYTES
from errors import Waiting
from hook import Hook


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``kubeconfig``, a YAML text without credentials."""
    shared = hook.peers.shared
    if not shared.cluster_id:
        raise Waiting("no cluster id yet, see juju status")
    command = login_kubeconfig.token_command(
        shared.cluster_id, params, hook.config.partition, shared.region
    )
    server, ca = login_kubeconfig.public_endpoint(hook.machine.public_kubeconfig)
    text = login_kubeconfig.render(
        command, context=params["context"], server=params.get("server") or server, ca=ca
    )
    if len(text.encode()) > MAX_BYTES:
        raise ValueError("the kubeconfig is too long for an action's result: give shorter values")
    return {"kubeconfig": text}
