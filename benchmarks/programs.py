"""What the lab's programs have used of the machine, as the kernel counts it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

POD, API_SERVER, FORWARDER, STS = NAMES = ("pods", "API server", "forwarder", "STS")
_TICKS = os.sysconf("SC_CLK_TCK")
_RESETS_THE_PEAK = "5"


@dataclass(frozen=True)
class Process:
    """A process, by its folder in /proc."""

    folder: Path
    program: str

    def cpu_seconds(self) -> float:
        """Return how long it has run on a core."""
        fields = (self.folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def forget_peak(self) -> None:
        """Count the most resident memory from now on."""
        (self.folder / "clear_refs").write_text(_RESETS_THE_PEAK)

    def mebibytes(self, key: str) -> float:
        """Return a size of `status`, such as VmHWM, the most memory that was resident."""
        lines = (self.folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) / 1024


def running() -> list[Process]:
    """Return the processes whose share of a login is measured."""
    found = [(each, _program(each)) for each in Path("/proc").glob("[0-9]*")]
    return [Process(folder, program) for folder, program in found if program]


def pods() -> list[Process]:
    """Return the authenticators."""
    return [process for process in running() if process.program == POD]


def cpu() -> dict[str, float]:
    """Return how long each program has run on a core, all its processes together."""
    found = running()
    return {
        name: sum(process.cpu_seconds() for process in found if process.program == name)
        for name in NAMES
    }


def _program(folder: Path) -> str:
    try:
        line = (folder / "cmdline").read_text().replace("\0", " ")
    except OSError:  # it has just ended
        return ""
    if line.startswith("/aws-iam-authenticator server"):
        return POD
    if "kube-apiserver --" in line:
        return API_SERVER
    if "auth-webhook/forwarder.py" in line:
        return FORWARDER
    return STS if "testbed.aws.server" in line else ""
