"""What the reactive aws-iam charm left in Juju and on the machine, for `juju refresh`."""

from __future__ import annotations

import subprocess

import files
from files import Machine

# All that it kept in leader data, the private key included.
_LEADER_DATA = ("cluster_id", "service_ip", "cert", "key")


def cluster_id() -> str:
    """Return the cluster id in its leader data; empty where there is none.

    The rest of that data is of no use: the certificate is for another host name, and the
    Service still has its address.
    """
    try:
        found = subprocess.run(
            ["leader-get", "cluster_id"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def remove_files(machine: Machine) -> None:
    """Remove its files from the machine; one of them holds the private key."""
    files.remove(*machine.leftovers)


def remove_leader_data() -> bool:
    """Remove its leader data, and return whether Juju did so; if not, a later hook must.

    Leader only.
    """
    command = ["leader-set", *(f"{key}=" for key in _LEADER_DATA)]
    try:
        subprocess.run(command, capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
