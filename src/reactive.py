"""What the reactive aws-iam charm left in Juju and on the machine, for `juju refresh`."""

from __future__ import annotations

import subprocess

import files


def cluster_id() -> str:
    """The cluster id in the predecessor's leader data; empty where there is none.

    The rest of that data (certificate, private key, address) is not worth reading: the
    certificate names the wrong host, and the Service has its address still.
    """
    try:
        found = subprocess.run(
            ["leader-get", "cluster_id"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def remove_files() -> None:
    """Remove its files from the machine, the private key's among them."""
    files.remove(*files.LEFTOVERS)


def remove_leader_data() -> bool:
    """Remove all that it kept there, the private key included; for the leader. Whether Juju
    took it; else another hook has to try again."""
    keys = ("cluster_id=", "service_ip=", "cert=", "key=")
    try:
        subprocess.run(["leader-set", *keys], capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
