"""A charm's resources: what metadata.yaml declares, and the files that an operator gives. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.juju.errors import JujuError, UnsupportedError


@dataclass(frozen=True)
class ResourceMeta:
    """A resource as metadata.yaml declares it; the unit finds it under `filename`."""

    name: str
    filename: str


@dataclass(frozen=True)
class Resource:
    """The file of a resource: the controller's copy, and the SHA-256 of its content."""

    meta: ResourceMeta
    path: Path
    digest: str


def parse_resources(document: Mapping[str, Any]) -> dict[str, ResourceMeta]:
    """Return the resources of metadata.yaml. Raise JujuError for one that Juju refuses."""
    return {name: _parse(name, spec or {}) for name, spec in document.items()}


def _parse(name: str, spec: Mapping[str, Any]) -> ResourceMeta:
    kind, filename = str(spec.get("type") or ""), str(spec.get("filename") or "")
    if not kind:
        raise JujuError("resource missing type")
    if kind == "oci-image":
        raise UnsupportedError(f'resource "{name}" of type oci-image')
    if kind != "file":
        raise JujuError(f'unsupported resource type "{kind}"')
    if not filename:
        raise JujuError("resource missing filename")
    if "/" in filename:
        raise JujuError(f'filename cannot contain "/" (got "{filename}")')
    return ResourceMeta(name, filename)


def check_extension(meta: ResourceMeta, given: str) -> None:
    """Raise JujuError unless the given file has the extension of the declared one."""
    wanted = posixpath.splitext(meta.filename)[1]
    if posixpath.splitext(given)[1] != wanted:
        raise JujuError(f'incorrect extension on resource upload "{given}", expected "{wanted}"')
