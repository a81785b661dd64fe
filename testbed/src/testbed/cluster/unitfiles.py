"""The services that programs of the machine add, as files in /etc/systemd/system.

PID 1 uses it on the system's python3, so it imports the standard library only.
"""

from __future__ import annotations

import os
import shlex

FOLDER = "/etc/systemd/system"


def service_of(name: str) -> str:
    """Return the service that a name, a unit's name or the path of a unit file means."""
    return os.path.basename(name).removesuffix(".service")


def exists(service: str, folder: str = FOLDER) -> bool:
    """Return whether the service has a unit file."""
    return os.path.exists(_path(service, folder))


def command(service: str, folder: str = FOLDER) -> list[str]:
    """Return the command of a unit file's ExecStart. Raises OSError where there is none."""
    with open(_path(service, folder)) as file:
        for line in file:
            key, _, value = line.partition("=")
            if key.strip() == "ExecStart" and value.strip():
                return shlex.split(value)
    raise FileNotFoundError(f"{_path(service, folder)} has no ExecStart")


def _path(service: str, folder: str) -> str:
    return os.path.join(folder, f"{service}.service")
