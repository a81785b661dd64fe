"""A lock between processes, for folders of the cache that are built once."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def exclusive(target: Path, what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a folder in the cache, and say so while another process holds it.

    `what` is what the folder gets. The kernel releases the lock when its process ends.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.with_name(target.name + ".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another process, which builds {what}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
