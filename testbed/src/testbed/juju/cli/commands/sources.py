"""Where a charm that is named on the command line comes from."""

from __future__ import annotations

from testbed.juju.cli.invocation import Invocation
from testbed.juju.controller import deploying
from testbed.juju.controller.store import Source
from testbed.juju.state.model import Model


def is_local(name: str) -> bool:
    return name.startswith((".", "/"))


def source(invocation: Invocation, model: Model, name: str, channel: str) -> Source:
    controller = invocation.controller
    if is_local(name):
        return deploying.local_source(controller, model, invocation.path(name))
    return controller.store.charm(name, channel)


def origin(found: Source) -> str:
    kind = "local charm" if found.origin == "local" else "charm-hub charm"
    channel = f" in channel {found.channel}" if found.channel else ""
    return f'{kind} "{found.charm.name}", revision {found.revision}{channel}'
