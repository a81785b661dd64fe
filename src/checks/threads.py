# SPDX-License-Identifier: Apache-2.0

"""Waiting for several things at once, for a bounded time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


def at_once(tasks: Mapping[str, Callable[[], T]], deadline: float) -> dict[str, T]:
    """Run ``tasks`` at once, and return the results of those that end by the ``deadline``.

    Daemon threads do not keep the process alive, so what hangs is left behind. msgspec crashes if
    two threads decode the first objects of one class, so only one task may read Kubernetes
    objects.
    """
    results: dict[str, T] = {}

    def keep(name: str, task: Callable[[], T]) -> None:
        results[name] = task()

    threads = [threading.Thread(target=keep, args=item, daemon=True) for item in tasks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(results)
