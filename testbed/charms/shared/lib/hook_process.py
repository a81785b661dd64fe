"""The process of a hook, which lives for a fraction of a second."""

from __future__ import annotations

import gc
import logging

import ops


def run(charm: type[ops.CharmBase]) -> None:
    """Run a hook of `charm`. Expect the process to end after that."""
    # Each line would be a hook-tool call, and ops has three in every hook.
    logging.disable(logging.DEBUG)
    ops.main(charm)
    # Python would look for garbage again and again as it ends.
    gc.freeze()
