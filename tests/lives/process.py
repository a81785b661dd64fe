"""What a process of lives needs before anything of the charm is imported."""

from __future__ import annotations

import concurrent.futures
import logging
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# The second is where former checkouts have it.
LIBRARY = ("lib", "interfaces/aws-iam/src")


class InTurn(concurrent.futures.Executor):
    """A pool whose threads take turns: what a life draws happens again in the same order."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        made: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            made.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (as a pool's threads keep it)
            made.set_exception(error)
        return made


def prepare() -> None:
    """Let each run of a seed be the same, and the charm be the one of LIVES_SRC."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.lives", *sys.argv[1:]])
    checkout = Path(os.environ.get("LIVES_SRC") or ROOT).resolve()
    checkout = checkout.parent if checkout.name == "src" else checkout
    library = [str(checkout / folder) for folder in LIBRARY]
    sys.path[:0] = [str(checkout / "src"), *library, str(ROOT)]
    # A hook makes folders, which take a third of its time on a disk.
    tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    concurrent.futures.ThreadPoolExecutor = InTurn
    # A life begins from a state that another one has made, and Hypothesis lets `random` begin
    # again with each: two secrets of a unit would have one id.
    import scenario.state

    scenario.state.random = random.Random(0)  # pyright: ignore[reportPrivateImportUsage]
    logging.getLogger().addHandler(logging.NullHandler())


def quieten() -> None:
    """Log as the charm does."""
    import charm

    # A former checkout says so as its process begins.
    quietly = getattr(charm, "quieten_libraries", lambda: logging.disable(logging.INFO))
    quietly()
    logging.getLogger("ops").setLevel(logging.WARNING)
