"""What this machine must have. What is missing is installed, or said in one line."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from testbed.cluster import host, linux

TOOLS = {
    "runc": "runc",
    "nft": "nftables",
    "iptables": "iptables",
    "ip": "iproute2",
    "dnsmasq": "dnsmasq-base",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "openssl": "openssl",
    "jq": "jq",
    "update-ca-certificates": "ca-certificates",
    "/usr/share/easy-rsa/easyrsa": "easy-rsa",
}
"""The programs that the testbed runs, and the packages of Debian and Ubuntu that hold them."""

INOTIFY_INSTANCES = 48
"""What three machines open, about 16 each: kubelet, API server, containerd. Without them a kubelet
never comes up, and its unit says `Unschedulable`."""

_SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROBE = "import sys; from testbed.cluster import linux; linux.unshare(int(sys.argv[1]))"
_SOURCES = Path(__file__).resolve().parents[2]


class Unfit(Exception):
    """This machine cannot run the testbed; the message says why and what helps, in one line."""


def check() -> None:
    """Raise Unfit unless this machine can run the testbed once its tools are installed."""
    if platform.system() != "Linux":
        raise Unfit(f"the testbed runs on Linux only, not on {platform.system()}")
    if os.geteuid() != 0:
        raise Unfit("the testbed makes namespaces and mounts: run it as root, or with sudo")
    _check_namespaces()
    if not host.knows_file_system("overlay") and not _load_module("overlay"):
        raise Unfit(
            "this kernel has no overlay file system: machines' roots are layers over the host's"
        )
    cgroups = host.find_cgroups()
    if not cgroups.hierarchies:
        raise Unfit("no control groups are mounted at /sys/fs/cgroup: the kubelet needs them")
    if cgroups.missing:
        raise Unfit(f"the kubelet needs control groups with {', '.join(cgroups.missing)}")
    _check_inotify()


def install(console: Console, more: Mapping[str, str] | None = None) -> None:
    """Install the missing tools, and the programs `more` with their packages.

    Raises Unfit, with the command to run, where that fails.
    """
    tools = {**TOOLS, **(more or {})}
    packages = missing_packages(tools)
    if not packages:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not shutil.which("apt-get"):
        raise Unfit(f"install these first (their names in Debian): {' '.join(packages)}")
    console.print(f"Installing what is missing: {shlex.join(command)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], command):
        result = subprocess.run(step, env=environment, capture_output=True, text=True, check=False)
    if missing_packages(tools):
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unfit(f"run: apt-get update && {shlex.join(command)} ({reason})")


def missing_packages(tools: Mapping[str, str] = TOOLS) -> list[str]:
    """Return the Debian packages of the tools that are missing."""
    missing = {
        package for tool, package in tools.items() if not shutil.which(tool, path=_SEARCH_PATH)
    }
    return sorted(missing)


def _check_namespaces() -> None:
    flags = (
        linux.NEW_MOUNTS | linux.NEW_PIDS | linux.NEW_NETWORK | linux.NEW_IPC | linux.NEW_HOSTNAME
    )
    probe = subprocess.run(
        [sys.executable, "-c", _PROBE, str(flags)],
        cwd=_SOURCES,
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode != 0:
        reason = (probe.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unfit(
            f"root may not create namespaces here ({reason}): a container needs --privileged"
        )


def _check_inotify() -> None:
    free = host.free_inotify_instances()
    if free is not None and free < INOTIFY_INSTANCES:
        raise Unfit(
            f"root may open {max(free, 0)} more inotify instances, and a lab needs up to "
            f"{INOTIFY_INSTANCES}: end another lab, "
            "or run: sysctl fs.inotify.max_user_instances=1024"
        )


def _load_module(name: str) -> bool:
    modprobe = shutil.which("modprobe", path=_SEARCH_PATH)
    if modprobe:
        subprocess.run([modprobe, name], capture_output=True, check=False)
    return host.knows_file_system(name)
