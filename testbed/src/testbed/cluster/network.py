"""The lab's network: a bridge, a veth pair for each machine, and routes to each machine's pods."""

from __future__ import annotations

import contextlib
import subprocess

from testbed.cluster.settings import AWS_ADDRESS, LAB_ADDRESS, LAB_NETWORK, Settings

BRIDGE = "lab"


class NetworkFailed(Exception):
    """`ip` failed; the message holds its error."""


def set_up_lab() -> None:
    """Create the bridge in this namespace, the operator's, with its address and AWS's."""
    _ip(
        "link set lo up",
        f"link add {BRIDGE} type bridge",
        f"addr add {LAB_ADDRESS}/{LAB_NETWORK.prefixlen} dev {BRIDGE}",
        f"addr add {AWS_ADDRESS}/32 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    )
    _write_settings(
        {"ip_forward": "1", "conf/all/send_redirects": "0", f"conf/{BRIDGE}/send_redirects": "0"}
    )


def connect(settings: Settings, pid: int) -> None:
    """Connect the machine whose PID 1 is `pid` to the bridge, and route to its pods through it."""
    link = _link(settings)
    _ip(
        f"link add {link} type veth peer name eth0 netns {pid}",
        f"link set {link} master {BRIDGE} up",
        f"route replace {settings.pod_cidr} via {settings.address}",
    )
    _ip(
        "link set lo up",
        f"addr add {settings.address}/{LAB_NETWORK.prefixlen} dev eth0",
        "link set eth0 up",
        f"route add default via {LAB_ADDRESS}",
        namespace_of=pid,
    )


def disconnect(settings: Settings) -> None:
    """Remove a machine's link and the route to its pods, as far as they are there.

    The kernel does it too, but some time after the machine's last process has ended. By then the
    next machine may need the link's name.
    """
    _ip(f"route flush {settings.pod_cidr} via {settings.address}")
    with contextlib.suppress(NetworkFailed):  # the kernel was first
        _ip(f"link del {_link(settings)}")


def _link(settings: Settings) -> str:
    return f"machine{settings.index}"


def _write_settings(values: dict[str, str]) -> None:
    for name, value in values.items():
        with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
            file.write(value)


def _ip(*commands: str, namespace_of: int | None = None) -> None:
    enter = ["nsenter", f"--net=/proc/{namespace_of}/ns/net"] if namespace_of else []
    result = subprocess.run(
        [*enter, "ip", "-batch", "-"],
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise NetworkFailed(f"ip: {result.stderr.strip()}")
