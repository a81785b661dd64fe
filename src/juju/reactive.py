# SPDX-License-Identifier: Apache-2.0

"""What the reactive aws-iam charm left in Juju and on the machine, for `juju refresh`.

Its key in each unit's database, and its CA in the machines' trust, stay until somebody runs what
docs/how-to/upgrade.md says.
"""

from __future__ import annotations

import subprocess

from errors import Waiting
from machine import files
from machine.files import Machine
from statuses import waiting
from text import brief

# All that it kept in leader data, the private key included.
_LEADER_DATA = ("cluster_id", "service_ip", "cert", "key")


def cluster_id() -> str:
    """Return the cluster id in its leader data; empty where there is none.

    The rest of that data is of no use: the certificate is for another host name, and the
    Service still has its address.

    Raise `errors.Waiting` if Juju does not answer: another id would end everybody's kubeconfig.
    """
    try:
        found = subprocess.run(
            ["leader-get", "cluster_id"], capture_output=True, text=True, timeout=30, check=True
        )
    except FileNotFoundError:  # Juju 4 has no leader data.
        return ""
    except (OSError, subprocess.SubprocessError) as error:
        raise Waiting(waiting.JUJU(cause=brief(error))) from error
    return found.stdout.strip()


def remove_files(machine: Machine) -> None:
    """Remove its files from the machine; one of them holds the private key in plain text."""
    addons = machine.root / "root/cdk/addons"
    names = ("secret", "deployment", "service")
    files.remove(*(addons / f"aws-iam-{name}.yaml" for name in names))


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
