"""The Pythons that the charm is packed for, and the charm as it is packed.

    python -m tests.conformance.pythons

installs the charm's packages into the cache, for the Pythons that this machine has.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from testbed.cache import keyed

ROOT = Path(__file__).parents[2]
BUILD_VENV = ROOT / "scripts" / "build_venv.py"
LOCK = ROOT / "requirements.txt"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# What `make pack` has packed, which is tested in place of this folder.
ARCHIVE = os.environ.get("AWS_IAM_CHARM", "")


def versions() -> list[str]:
    """Return the Pythons that the charm is packed for, the oldest first."""
    recipe = (ROOT / "charmcraft.yaml").read_text()
    [found] = re.findall(r'scripts/build_venv\.py .*" ([\d. ]+)\n', recipe)
    return found.split()


def interpreters() -> dict[str, str]:
    """Return the Pythons that are on the PATH, or among pyenv's, by their versions."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found: dict[str, str] = {}
    for version in versions():
        installed = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
        python = next(map(str, installed), None) or shutil.which(f"python{version}")
        if python:
            found[version] = python
    return found


def unpack(folder: Path) -> None:
    """Write into ``folder`` what Juju would unpack there."""
    if ARCHIVE:
        subprocess.run(["unzip", "-q", ROOT / ARCHIVE, "-d", folder], check=True)
        return
    recipe = yaml.safe_load((ROOT / "charmcraft.yaml").read_text())
    juju = ["metadata.yaml", "config.yaml", "actions.yaml"]
    # Only `make pack` writes the version.
    for name in {*recipe["parts"]["charm"]["stage"], *juju} - {"version"}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(_packages() if name == "venv" else ROOT / name)


def _packages() -> Path:
    """Return where the packages for these Pythons are, or will be: one folder for each lock."""
    names = " ".join(interpreters())
    return keyed("charm-venv", LOCK, BUILD_VENV, f"{names} {platform.machine()}".encode())


def install() -> None:
    """Install the packages, unless they are there or the archive has them."""
    target, found = _packages(), interpreters()
    if ARCHIVE or target.exists() or not found:
        return
    made = target.with_suffix(f".{os.getpid()}")
    command = [sys.executable, BUILD_VENV, made, LOCK, ARCHITECTURES[platform.machine()], *found]
    subprocess.run(command, check=True)
    made.rename(target)


if __name__ == "__main__":
    install()
