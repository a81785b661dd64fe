"""The control groups of a lab: created before a machine starts, removed after it ends."""

from __future__ import annotations

import time
from pathlib import Path

from testbed.cluster.host import NEEDED_CONTROLLERS, Cgroups

_ENABLED_IF_THERE = ("io", "hugetlb")
_REMOVE_TIMEOUT = 10.0
"""Seconds that the last processes of a group get to end."""


def group_of_lab(name: str) -> str:
    """Return the name of a lab's group, in each hierarchy."""
    return f"aws-iam-{name}"


def create(cgroups: Cgroups, group: str) -> None:
    """Create a group for pods (`lab/machine`) in every hierarchy. Raises OSError."""
    for hierarchy in cgroups.hierarchies:
        folder = hierarchy
        for part in Path(group).parts:
            _prepare_parent(cgroups, folder)
            folder = folder / part
            folder.mkdir(exist_ok=True)
            _inherit_cpuset(folder)
        _prepare_parent(cgroups, folder)


def remove(cgroups: Cgroups, group: str) -> None:
    """Remove a group and all below it from every hierarchy.

    Raises OSError if processes stay in it.
    """
    deadline = time.monotonic() + _REMOVE_TIMEOUT
    for hierarchy in cgroups.hierarchies:
        folder = hierarchy / group
        while folder.exists():
            try:
                _remove_tree(folder)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def _prepare_parent(cgroups: Cgroups, folder: Path) -> None:
    if cgroups.version != 2:
        return
    control = folder / "cgroup.subtree_control"
    wanted = [c for c in (*NEEDED_CONTROLLERS, *_ENABLED_IF_THERE) if c in cgroups.controllers]
    missing = [c for c in wanted if c not in control.read_text().split()]
    if missing:
        control.write_text(" ".join(f"+{controller}" for controller in missing))


def _inherit_cpuset(folder: Path) -> None:
    """Give a new cpuset its parent's CPUs and memory nodes.

    In version 1 it takes no process until it has both.
    """
    for name in ("cpuset.cpus", "cpuset.mems"):
        own, parents = folder / name, folder.parent / name
        if own.exists() and parents.exists() and not own.read_text().strip():
            own.write_text(parents.read_text())


def _remove_tree(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir():
            _remove_tree(child)
    folder.rmdir()
