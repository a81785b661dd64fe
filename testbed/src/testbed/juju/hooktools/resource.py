"""The hook tool of resources."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from testbed.juju.errors import ToolError
from testbed.juju.hooktools.call import Call, Spec
from testbed.juju.state.paths import agent_dir, inside
from testbed.juju.state.resources import Resource


def resource_get(call: Call) -> str:
    """Return the path of the unit's copy, which is made when it is missing or outdated."""
    if not call.args:
        raise ToolError("ERROR missing required resource name", 2)
    if len(call.args) > 1:
        raise ToolError(f'ERROR unrecognized args: ["{call.argument(1)}"]', 2)
    context, name = call.context, call.argument(0)
    resource = context.application.resources.get(name)
    if resource is None:
        raise ToolError(
            "ERROR could not download resource: HTTP request failed: "
            f"resource#{context.application.name}/{name} not found"
        )
    path = f"{agent_dir(context.unit.name)}/resources/{name}/{resource.meta.filename}"
    host = context.unit.machine.host
    assert host is not None
    _download(resource, inside(host, path, follow=True))
    return path


def _download(resource: Resource, path: Path) -> None:
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == resource.digest:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(resource.path, path)


SPECS: dict[str, Spec] = {"resource-get": Spec(resource_get)}
