"""The cache of everything that is built once. Each folder is named by a hash of its inputs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

_KEY_DIGITS = 16


def cache_dir() -> Path:
    """Return the cache's folder: `$AWS_IAM_CACHE`, or one in the user's XDG cache."""
    if chosen := os.environ.get("AWS_IAM_CACHE"):
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "aws-iam"


def keyed(kind: str, *inputs: bytes | Path) -> Path:
    """Return the folder `<cache>/<kind>/<key>`, which need not exist.

    The key is a hash of the inputs: of a file's content, and of the names and contents of all
    files in a folder. Raises FileNotFoundError if an input does not exist.
    """
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(hashlib.sha256(item if isinstance(item, bytes) else _of_path(item)).digest())
    return cache_dir() / kind / digest.hexdigest()[:_KEY_DIGITS]


@contextlib.contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder, and rename it to `folder` once it is filled."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=folder.parent) as temporary:
        made = Path(temporary) / folder.name
        made.mkdir()
        yield made
        # Another process may have been quicker. Its result is the same.
        if not folder.exists():
            made.rename(folder)


def _of_path(path: Path) -> bytes:
    if not path.is_dir():
        return path.read_bytes()
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()
