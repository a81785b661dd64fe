"""The locked Python packages of a group, in the format that pip reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

from testbed.cache import keyed

_ROOT = Path(__file__).resolve().parents[3]
_LOCK = _ROOT / "uv.lock"


def requirements(group: str) -> Path:
    """Return a file with the packages of a group of pyproject.toml, and their hashes."""
    target = keyed("locked", _LOCK, group.encode()) / f"{group}.txt"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".unfinished")
        command = [
            "uv",
            "export",
            "--quiet",
            "--frozen",
            "--no-emit-project",
            "--no-annotate",
            "--no-header",
        ]
        chosen = ["--project", str(_ROOT), "--only-group", group, "--output-file", str(unfinished)]
        subprocess.run([*command, *chosen], check=True, stdout=subprocess.DEVNULL)
        unfinished.rename(target)
    return target
