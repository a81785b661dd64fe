"""What the kernel of this machine offers: control groups, capabilities, file systems."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

CAP_SYS_RESOURCE = 24

NEEDED_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
"""The cgroup controllers that the kubelet does not start without."""


@dataclass(frozen=True)
class Cgroups:
    """The mounted control groups: version 2 has one hierarchy, version 1 has several."""

    version: int
    hierarchies: tuple[Path, ...]
    controllers: frozenset[str]

    @property
    def missing(self) -> list[str]:
        """The controllers that the kubelet needs and this machine lacks."""
        return sorted(set(NEEDED_CONTROLLERS) - self.controllers)


def find_cgroups(mount_point: Path = Path("/sys/fs/cgroup")) -> Cgroups:
    """Return the control groups that are mounted below a folder."""
    unified = mount_point / "cgroup.controllers"
    if unified.exists():
        return Cgroups(2, (mount_point,), frozenset(unified.read_text().split()))
    folders = tuple(
        folder
        for folder in sorted(mount_point.glob("*"))
        if (folder / "cgroup.procs").exists()
        and not folder.is_symlink()
        and not (folder / "cgroup.controllers").exists()
    )
    names = {name for folder in folders for name in folder.name.split(",")}
    return Cgroups(1, folders, frozenset(names))


def has_capability(number: int, status: Path = Path("/proc/self/status")) -> bool:
    """Return whether this process has a capability, by its number in linux/capability.h."""
    for line in status.read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def file_system_of(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the type of the file system (`ext4`, `overlay`, …) that holds an absolute path."""
    best = (Path("/"), "")
    for line in mounts.read_text().splitlines():
        _, target, kind, *_ = line.split(" ")
        folder = Path(target.replace("\\040", " "))
        if (folder == path or folder in path.parents) and len(folder.parts) >= len(best[0].parts):
            best = (folder, kind)
    return best[1]


def knows_file_system(kind: str, listing: Path = Path("/proc/filesystems")) -> bool:
    """Return whether the kernel, as loaded now, can mount a type of file system."""
    return kind in {line.split()[-1] for line in listing.read_text().splitlines() if line}


def free_inotify_instances(proc: Path = Path("/proc"), user: int = 0) -> int | None:
    """Return how many more instances of inotify a user may have, None where nothing limits them.

    Processes of another PID namespace are not counted.
    """
    try:
        limit = int((proc / "sys/fs/inotify/max_user_instances").read_text())
    except FileNotFoundError:
        return None
    return limit - sum(_inotify_instances(folder, user) for folder in proc.glob("[0-9]*"))


def _inotify_instances(process: Path, user: int) -> int:
    # A process may end, or close a file, while it is looked at.
    found = 0
    with contextlib.suppress(OSError):
        if process.stat().st_uid != user:
            return 0
        for file in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                found += os.readlink(file) == "anon_inode:inotify"
    return found
