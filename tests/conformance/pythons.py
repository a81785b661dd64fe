"""The Pythons that the charm is packed for, and the packages that it is packed with.

    python -m tests.conformance.pythons

installs the packages into the cache, for the Pythons that this machine has.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from testbed.cache import keyed

ROOT = Path(__file__).parents[2]
BUILD_VENV = ROOT / "scripts" / "build-venv"
LOCK = ROOT / "requirements.txt"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def versions() -> list[str]:
    """Return the Pythons that the charm is packed for, the oldest first."""
    recipe = (ROOT / "charmcraft.yaml").read_text()
    [found] = re.findall(r'scripts/build-venv .*" ([\d. ]+)\n', recipe)
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


def folder() -> Path:
    """Return where the packages for these Pythons are, or will be: one folder for each lock."""
    names = " ".join(interpreters())
    return keyed("charm-venv", LOCK, BUILD_VENV, f"{names} {platform.machine()}".encode())


def install() -> None:
    """Install the packages, unless they are there."""
    target, found = folder(), interpreters()
    if target.exists() or not found:
        return
    made = target.with_suffix(f".{os.getpid()}")
    command = [BUILD_VENV, made, LOCK, ARCHITECTURES[platform.machine()], *found]
    subprocess.run(command, env={**os.environ, "PYTHON": sys.executable}, check=True)
    made.rename(target)


if __name__ == "__main__":
    install()
