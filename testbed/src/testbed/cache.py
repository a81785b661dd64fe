"""Where built things are kept: outside the checkout, named by what they are made of."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_KEY_DIGITS = 16


def cache_dir() -> Path:
    """Return the folder of everything that is built once: `$AWS_IAM_CACHE`, or the XDG default."""
    if chosen := os.environ.get("AWS_IAM_CACHE"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "aws-iam"


def keyed(kind: str, *inputs: bytes | Path) -> Path:
    """Return the folder `<cache>/<kind>/<key>`, its key a hash of the inputs; nothing is created.

    A file counts by its content, a folder by the names and contents of all files in it.
    Raises FileNotFoundError if an input does not exist.
    """
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(hashlib.sha256(item if isinstance(item, bytes) else _of_path(item)).digest())
    return cache_dir() / kind / digest.hexdigest()[:_KEY_DIGITS]


def _of_path(path: Path) -> bytes:
    if not path.is_dir():
        return path.read_bytes()
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()
