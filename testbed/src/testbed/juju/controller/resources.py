"""Keep the files of resources, and give them to applications.

The functions are called under the controller's lock.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from testbed.juju.controller.controller import Controller
from testbed.juju.state.model import Application, Model
from testbed.juju.state.resources import Resource, ResourceMeta

_CHUNK = 1 << 20


def keep(controller: Controller, meta: ResourceMeta, path: Path) -> Resource:
    """Return a resource with a copy of an operator's file. Raise OSError."""
    folder = controller.lab.state / "resources"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("rb") as source, tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    kept = Path(copy.name).rename(folder / digest.hexdigest())
    return Resource(meta, kept, digest.hexdigest())


def attach(
    controller: Controller, model: Model, application: Application, resource: Resource
) -> None:
    """Give an application another file. Its units run upgrade-charm if the content is new.

    So does Juju: resources are part of the charm's version (`hasNewBytes` in its package state).
    """
    before = application.resources.get(resource.meta.name)
    application.resources[resource.meta.name] = resource
    if before is None or before.digest != resource.digest:
        application.charm_version += 1
        controller.changed(model)
