"""A machine's root file system: the host's, seen through a layer of the machine's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from testbed.cluster import linux
from testbed.cluster.settings import PROGRAMS, SNAPS

TOOLS = Path(__file__).parent / "tools"

EMPTY_FOLDERS = {
    "root": 0o700,
    "home": 0o755,
    "home/ubuntu": 0o750,
    "mnt": 0o755,
    "opt/cni": 0o755,
    "run": 0o755,
    "snap": 0o755,
    "snap/bin": 0o755,
    "tmp": 0o1777,
    "etc/cni": 0o755,
    "etc/containerd": 0o755,
    "etc/kubernetes": 0o755,
    "etc/profile.d": 0o755,
    "etc/sudoers.d": 0o755,
    "etc/systemd/system": 0o755,
    "var/cache/apt": 0o755,
    "var/lib/cni": 0o755,
    "var/lib/containerd": 0o755,
    "var/lib/juju": 0o755,
    "var/lib/kubelet": 0o755,
    "var/lib/testbed": 0o755,
    "var/log": 0o755,
    "var/snap": 0o755,
    "var/tmp": 0o1777,
}
"""Folders that start empty: what the host has in them is none of a machine's business."""

_UBUNTU_ID = 1000
_SYSLOG_ID = 59999
_SETPRIV = "usr/libexec/testbed/setpriv"
_SETUID_FOR_GROUP = 0o4750
_PRIVATE = 0o600
_PUBLIC = 0o644


def mount(disk: Path, files: Mapping[str, bytes]) -> None:
    """Make `disk/root` a machine's root file system, with files by absolute path."""
    upper = disk / "upper"
    for folder in (upper, disk / "work", disk / "root", disk / "containerd", disk / "kubelet"):
        folder.mkdir(parents=True)
    for name, mode in EMPTY_FOLDERS.items():
        _make_opaque(upper / name, mode)
    os.chown(upper / "home/ubuntu", _UBUNTU_ID, _UBUNTU_ID)
    for path, content in {**files, **accounts(), **_tools()}.items():
        _write(upper / path.lstrip("/"), content)
    _let_ubuntu_become_root(upper / _SETPRIV)
    (upper / "snap/bin/kubectl").symlink_to(f"{PROGRAMS}/kubectl")
    for app in SNAPS:
        (upper / "snap" / app).mkdir()
        (upper / "snap" / app / "current").symlink_to(PROGRAMS)
    layers = f"lowerdir=/,upperdir={upper},workdir={disk / 'work'},volatile"
    linux.mount("overlay", str(disk / "root"), "overlay", data=layers)


def accounts(etc: Path = Path("/etc")) -> dict[str, bytes]:
    """Return the host's passwd and group, with Ubuntu's own `ubuntu` and `syslog`.

    They replace whoever has one of these names or ids.
    """
    passwd = (
        f"ubuntu:x:{_UBUNTU_ID}:{_UBUNTU_ID}:Ubuntu:/home/ubuntu:/bin/bash",
        f"syslog:x:{_SYSLOG_ID}:{_SYSLOG_ID}::/nonexistent:/usr/sbin/nologin",
    )
    group = (f"ubuntu:x:{_UBUNTU_ID}:", f"syslog:x:{_SYSLOG_ID}:")
    return {
        "/etc/passwd": _with_entries((etc / "passwd").read_text(), passwd),
        "/etc/group": _with_entries((etc / "group").read_text(), group),
    }


def _with_entries(text: str, entries: tuple[str, ...]) -> bytes:
    taken = {value for entry in entries for value in _name_and_id(entry)}
    lines = [line for line in text.splitlines() if line.count(":") >= 3]
    others = [line for line in lines if taken.isdisjoint(_name_and_id(line))]
    return "\n".join([*others, *entries, ""]).encode()


def _name_and_id(line: str) -> tuple[str, str]:
    name, _, number, *_ = line.split(":")
    return name, number


def _tools() -> dict[str, bytes]:
    return {
        f"/usr/bin/{tool.name}": tool.read_bytes() for tool in TOOLS.iterdir() if tool.is_file()
    }


def _let_ubuntu_become_root(setpriv: Path) -> None:
    """Give the machine's `sudo` a setuid setpriv that only root and ubuntu may execute."""
    setpriv.parent.mkdir(parents=True)
    shutil.copy("/usr/bin/setpriv", setpriv)
    os.chown(setpriv, 0, _UBUNTU_ID)
    setpriv.chmod(_SETUID_FOR_GROUP)


def _make_opaque(folder: Path, mode: int) -> None:
    """Create a folder of the upper layer that hides the one below it."""
    folder.mkdir(parents=True)
    folder.chmod(mode)
    os.setxattr(folder, "trusted.overlay.opaque", b"y")


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if target.parent.name == "bin":
        target.chmod(0o755)
    else:
        target.chmod(_PRIVATE if _is_secret(content) else _PUBLIC)


def _is_secret(content: bytes) -> bool:
    return b"PRIVATE KEY" in content or b"client-key-data" in content
