"""The minor versions of Kubernetes that are built only when somebody asks for one by name.

Their go.mod and go.sum are made from Kubernetes' own when they are first needed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testbed.cache import keyed
from testbed.fetching import check_answered, check_outside_lab
from testbed.programs import go as go_compiler
from testbed.programs.compiler import BuildFailed
from testbed.programs.locks import exclusive
from testbed.programs.modules import HERE, NEWEST, Module

PATCHES = {
    "1.29": "1.29.15",
    "1.30": "1.30.14",
    "1.31": "1.31.4",
    "1.32": "1.32.9",
    "1.33": "1.33.13",
    "1.34": "1.34.12",
    "1.35": "1.35.8",
    "1.36": "1.36.5",
}
"""The newest patch of each minor whose parts the Go proxy and its checksum database all have."""

_KUBERNETES = "k8s.io/kubernetes"
_NEWEST = Module(HERE / f"kubernetes-{NEWEST}")
# The first Go whose go.mod can name tools.
_GO = "1.24.0"
_UNPUBLISHED = "v0.0.0"


def module(minor: str, say: Callable[[str], None]) -> Module:
    """Return the module of a minor version of `PATCHES`, making it if it is not in the cache.

    Raises BuildFailed, GoMissing and NotFetched.
    """
    patch = PATCHES[minor]
    folder = (
        keyed("minors", Path(__file__), _NEWEST.folder / "go.mod", patch.encode())
        / f"kubernetes-{minor}"
    )
    with exclusive(folder.parent, f"Kubernetes {minor}", say):
        if not (folder / "go.sum").exists():
            command = f"TESTBED_KUBERNETES={minor} python -m testbed programs"
            check_outside_lab(f"Kubernetes {patch} is", command)
            say(f"Downloading the sources of Kubernetes {patch}, once")
            go = go_compiler.find_go(tuple(map(int, _GO.split("."))), say)
            _make(folder, minor, patch, go)
    return Module(folder)


def _make(folder: Path, minor: str, patch: str, go: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    download = _go(folder.parent, go, "mod", "download", "-json", f"{_KUBERNETES}@v{patch}")
    upstream = _go(folder.parent, go, "mod", "edit", "-json", json.loads(download)["GoMod"])
    (folder / "go.mod").write_text(go_mod(minor, patch, json.loads(upstream)["Require"]))
    # This adds what it finds to go.mod, and writes go.sum last.
    _go(folder, go, "list", "-mod=mod", "-deps", "tool")


def go_mod(minor: str, patch: str, required: list[dict[str, Any]]) -> str:
    """Return a go.mod that builds a patch version of Kubernetes, the same programs as the newest.

    `required` is what Kubernetes' own requires. The parts that live in its repository have no
    version there, and are published with its own minor and patch under v0.
    """
    parts = [each["Path"] for each in required if each["Version"] == _UNPUBLISHED]
    lines = [
        f"module testbed/kubernetes-{minor}",
        f"go {_GO}",
        *(f"tool {package}" for package in _NEWEST.packages),
        f"require {_KUBERNETES} v{patch}",
        *(f"replace {part} => {part} v0{patch.removeprefix('1')}" for part in parts),
    ]
    return "".join(f"{line}\n" for line in lines)


def _go(folder: Path, go: str, *arguments: str) -> str:
    done = subprocess.run(
        [go, *arguments],
        cwd=folder,
        env=go_compiler.environment(go),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        check_answered("the sources of Kubernetes", done.stderr + done.stdout)
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        raise BuildFailed(f"go {' '.join(arguments)} failed:\n" + "\n".join(last))
    return done.stdout
