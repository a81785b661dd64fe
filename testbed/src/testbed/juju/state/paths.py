"""Juju's folders on a machine, and how the controller reaches a machine's files."""

from __future__ import annotations

import errno
import os
from collections import deque
from pathlib import Path

from testbed.juju.state import names
from testbed.juju.state.machine import MachineLike

TOOLS_DIR = "/var/lib/juju/tools"
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
"""Where hooks and shells of a machine look for programs."""
_LINKS_AT_MOST = 40  # as in Linux


def agent_dir(unit: str) -> str:
    """Return a unit's folder on its machine."""
    return f"/var/lib/juju/agents/{names.tag_of(unit)}"


def charm_dir(unit: str) -> str:
    return f"{agent_dir(unit)}/charm"


def tools_dir(unit: str) -> str:
    return f"{TOOLS_DIR}/{names.tag_of(unit)}"


def inside(machine: MachineLike, path: str, *, follow: bool = False) -> Path:
    """Return a path of the machine, as the controller reaches it.

    Links are resolved as on the machine, absolute ones too. With `follow`, so is a link at the end
    of the path. Raise OSError for a loop of links.
    """
    root = here = Path(machine.root)
    parts, links = deque(path.split("/")), 0
    while parts:
        part = parts.popleft()
        if part == "..":
            here = root if here == root else here.parent
        elif part not in ("", "."):
            step = here / part
            if not step.is_symlink() or not (follow or any(parts)):
                here = step
                continue
            links += 1
            if links > _LINKS_AT_MOST:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.readlink(step)
            here = root if target.startswith("/") else here
            parts.extendleft(reversed(target.split("/")))
    return here
