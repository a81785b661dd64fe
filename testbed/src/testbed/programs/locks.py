"""A lock between processes, for folders of the cache that are built once."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def exclusive(target: Path) -> Iterator[None]:
    """Hold the lock of a folder in the cache. The kernel releases it when the process ends."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.with_name(target.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
