"""The charm loads on each Python that it is packed for, from the packages it is packed with."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.cache import keyed

ROOT = Path(__file__).parents[2]
BUILD_VENV = ROOT / "scripts" / "build-venv"
LOCK = ROOT / "requirements.txt"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Every import statement, because many stand in functions, where they wait until they are needed.
IMPORT_ALL = """
import ast, pathlib

for folder in map(pathlib.Path, ("src", "lib")):
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                exec(ast.unparse(node))
# Their packages do without these, only slower.
import markupsafe._speedups, yaml._yaml
"""


def versions() -> list[str]:
    """Return the Pythons that the charm is packed for, the oldest first."""
    recipe = (ROOT / "charmcraft.yaml").read_text()
    [found] = re.findall(r'scripts/build-venv .*" ([\d. ]+)\n', recipe)
    return found.split()


def interpreter(version: str) -> str | None:
    """Return a Python of this version: on the PATH, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    installed = sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    return next(map(str, installed), None) or shutil.which(f"python{version}")


FOUND = {version: python for version in versions() if (python := interpreter(version))}


@pytest.fixture(scope="module")
def packages() -> Path:
    """Install the packages for the Pythons that are found, once for each lock."""
    names = " ".join(FOUND)
    folder = keyed("charm-venv", LOCK, BUILD_VENV, f"{names} {platform.machine()}".encode())
    if not folder.exists():
        made = folder.with_suffix(f".{os.getpid()}")
        command = [BUILD_VENV, made, LOCK, ARCHITECTURES[platform.machine()], *FOUND]
        subprocess.run(command, env={**os.environ, "PYTHON": sys.executable}, check=True)
        made.rename(folder)
    return folder


@pytest.mark.parametrize("version", versions())
def test_given_a_python_of_the_charms_then_every_module_of_it_loads(
    version: str, request: pytest.FixtureRequest
):
    if version not in FOUND:
        pytest.skip(f"no python{version} on the PATH or in ~/.pyenv/versions")
    packages = request.getfixturevalue("packages")

    done = subprocess.run(
        [FOUND[version], "-B", "-s", "-c", IMPORT_ALL],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"src:lib:{packages}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
