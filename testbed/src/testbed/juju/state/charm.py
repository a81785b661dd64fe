"""A packed charm: its metadata, and whether Juju would accept it."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.juju.errors import JujuError
from testbed.juju.manner import Manner
from testbed.juju.state.actions import Action, parse_actions
from testbed.juju.state.settings import Option, parse_options

_UNIT_HOOKS = {
    "config-changed",
    "install",
    "leader-deposed",
    "leader-elected",
    "leader-settings-changed",
    "remove",
    "secret-changed",
    "secret-expired",
    "secret-remove",
    "start",
    "stop",
    "update-status",
    "upgrade-charm",
}
_RELATION_HOOKS = {
    f"relation-{what}" for what in ("broken", "changed", "created", "departed", "joined")
}
_ROLES = {"provides": "provider", "requires": "requirer", "peers": "peer"}


@dataclass(frozen=True)
class Endpoint:
    """A relation endpoint of a charm, as metadata.yaml declares it."""

    name: str
    role: str  # provider, requirer or peer
    interface: str
    scope: str = "global"  # or container
    limit: int = 0
    implicit: bool = False


JUJU_INFO = Endpoint("juju-info", "provider", "juju-info", implicit=True)


@dataclass(frozen=True)
class Charm:
    """What Juju knows of a packed charm."""

    name: str
    path: Path
    digest: str
    subordinate: bool
    endpoints: Mapping[str, Endpoint]
    options: Mapping[str, Option]
    actions: Mapping[str, Action]
    bases: tuple[str, ...]  # "ubuntu@24.04"; empty: any
    version: str
    architectures: frozenset[str] = frozenset()

    def all_endpoints(self) -> dict[str, Endpoint]:
        """Return the declared endpoints and the implicit one."""
        return {**self.endpoints, JUJU_INFO.name: JUJU_INFO}

    def hooks(self) -> set[str]:
        """Return the names of all hooks that the charm may have a script for."""
        relation = {f"{name}-{hook}" for name in self.endpoints for hook in _RELATION_HOOKS}
        return _UNIT_HOOKS | relation

    def peers(self) -> list[Endpoint]:
        return [endpoint for endpoint in self.endpoints.values() if endpoint.role == "peer"]


def read_charm(path: Path, manner: Manner = Manner.JUJU_3_6) -> Charm:
    """Read a packed charm's metadata.

    Raise JujuError for a file that is not a charm, and for a charm that Juju refuses.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = set(archive.namelist())
            read = {name: _document(archive, name) for name in files & _DOCUMENTS}
            version = archive.read("version").decode().strip() if "version" in files else ""
    except (OSError, zipfile.BadZipFile) as error:
        raise JujuError(f'cannot read charm archive "{path}": {error}') from error
    metadata = read.get("metadata.yaml")
    if metadata is None:
        raise JujuError(f'archive file "metadata.yaml" not found in "{path}"')
    if "dispatch" not in files and not any(name.startswith("hooks/") for name in files):
        raise JujuError(f'charm "{path}" has neither a dispatch script nor hooks')
    manifest = read.get("manifest.yaml")
    if manner is Manner.JUJU_4_1:
        _check_manifest(manifest)
    return Charm(
        name=str(metadata.get("name", "")),
        path=path,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        subordinate=metadata.get("subordinate") is True,
        endpoints={endpoint.name: endpoint for endpoint in _endpoints(metadata)},
        options=parse_options(read.get("config.yaml") or {}),
        actions=parse_actions(read.get("actions.yaml") or {}, manner),
        bases=tuple(_bases(manifest or {})),
        version=version,
        architectures=frozenset(_architectures(manifest or {})),
    )


_DOCUMENTS = {"metadata.yaml", "config.yaml", "actions.yaml", "manifest.yaml"}


def _document(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(archive.read(name))
    except yaml.YAMLError as error:
        raise JujuError(f"cannot parse {name}: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise JujuError(f"cannot parse {name}: expected a map")
    return document


def _endpoints(metadata: Mapping[str, Any]) -> Iterator[Endpoint]:
    for section, role in _ROLES.items():
        for name, declared in (metadata.get(section) or {}).items():
            spec = {"interface": declared} if isinstance(declared, str) else declared
            yield Endpoint(
                name=name,
                role=role,
                interface=str(spec.get("interface", "")),
                scope=str(spec.get("scope") or "global"),
                limit=int(spec.get("limit") or 0),
            )


def _bases(manifest: Mapping[str, Any]) -> Iterator[str]:
    for base in manifest.get("bases") or ():
        yield f"{base['name']}@{str(base['channel']).partition('/')[0]}"


def _architectures(manifest: Mapping[str, Any]) -> Iterator[str]:
    for base in manifest.get("bases") or ():
        yield from base.get("architectures") or ()


def _check_manifest(manifest: Mapping[str, Any] | None) -> None:
    if manifest is None:
        raise JujuError("charm without manifest not valid")
    if not manifest.get("bases"):
        raise JujuError("charm does not define any bases, not valid")
