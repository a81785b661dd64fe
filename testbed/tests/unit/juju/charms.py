"""Small packed charms for tests."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import yaml

PRINCIPAL = """
name: host
provides:
  website: {interface: http}
  things: {interface: things, scope: container}
requires:
  certificates: {interface: tls-certificates, limit: 1}
peers:
  friends: {interface: friends}
"""
SUBORDINATE = """
name: rider
subordinate: true
requires:
  things: {interface: things, scope: container}
  general: {interface: juju-info, scope: container}
  certificates: {interface: tls-certificates, limit: 1}
provides:
  figures: {interface: figures}
peers:
  riders: {interface: riders}
"""
COLLECTOR = """
name: collector
subordinate: true
requires:
  general: {interface: juju-info, scope: container}
  figures: {interface: figures, scope: container}
"""
AUTHORITY = """
name: authority
provides:
  client: {interface: tls-certificates}
"""
DISPATCH = """#!/bin/sh
. ./behaviour
"""
# The hook tools of these tests are in Python and take 20 ms a call, so charms call few.
STARTS = """
if [ "$JUJU_HOOK_NAME" = start ]; then status-set active; fi
"""


def pack(
    folder: Path,
    metadata: str,
    *,
    behaviour: str = STARTS,
    config: Mapping[str, object] | None = None,
    actions: Mapping[str, object] | None = None,
    files: Mapping[str, str] | None = None,
    bases: tuple[str, ...] = ("22.04",),
    architectures: tuple[str, ...] = ("amd64",),
    name: str = "",
    dispatch: str = DISPATCH,
) -> Path:
    """Pack a charm whose hooks are shell, and return its path.

    Without `dispatch`, its hooks are the hooks/ of `files`. Without `bases` it has no manifest.
    """
    document = yaml.safe_load(metadata)
    described = metadata + "summary: a charm for tests\ndescription: the same\n"  # Juju wants both
    path = folder / f"{name or document['name']}.charm"
    content = {
        "metadata.yaml": described,
        "behaviour": behaviour,
        **({"dispatch": dispatch} if dispatch else {}),
        "config.yaml": yaml.safe_dump({"options": config or {}}),
        "actions.yaml": yaml.safe_dump(dict(actions or {})),
        **(files or {}),
    }
    if bases:
        listed = {"name": "ubuntu", "architectures": list(architectures)}
        channels = [{**listed, "channel": base} for base in bases]
        content["manifest.yaml"] = yaml.safe_dump({"bases": channels})
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in content.items():
            info = zipfile.ZipInfo(file)
            script = file.startswith(("dispatch", "hooks/", "actions/"))
            info.external_attr = (0o100755 if script else 0o100644) << 16
            archive.writestr(info, text)
    return path
