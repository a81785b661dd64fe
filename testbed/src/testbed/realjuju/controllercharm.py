"""A charm for the controller's own application. Without Charmhub, bootstrap needs a file."""

from __future__ import annotations

import zipfile
from pathlib import Path

_FILES = {
    "metadata.yaml": "name: juju-controller\nsummary: The controller\n"
    "description: The controller\n"
    "provides: {website: {interface: http}}\npeers: {dbcluster: {interface: dbcluster}}\n",
    "manifest.yaml": "bases:\n"
    + "".join(
        f"- {{name: ubuntu, channel: '{base}', architectures: [{architecture}]}}\n"
        for base in ("22.04", "24.04")
        for architecture in ("amd64", "arm64")
    ),
    "config.yaml": "options:\n"
    "  is-juju: {type: boolean, default: false}\n"
    "  identity-provider-url: {type: string, default: ''}\n"
    "  controller-url: {type: string, default: ''}\n",
    "dispatch": "#!/bin/sh\nexit 0\n",
}


def write(file: Path) -> None:
    """Write the charm, whose hooks do nothing."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in _FILES.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name == "dispatch" else 0o644) << 16
            archive.writestr(info, text)
