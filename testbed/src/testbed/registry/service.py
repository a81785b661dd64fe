"""Starts the registry."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from testbed.cluster import pki
from testbed.cluster.settings import LAB_ADDRESS, REGISTRY
from testbed.cluster.waiting import wait_for_port
from testbed.registry import server


@dataclass(frozen=True)
class Registry:
    """The running server, and the PEM of the authority that signed its certificate."""

    authority: bytes
    process: subprocess.Popen[bytes]
    log: Path

    def wait(self) -> None:
        """Return when the server listens. Raises NotListening."""
        wait_for_port(LAB_ADDRESS, server.PORT, self.process, "the registry", self.log)


def start(disk: Path, logs: Path, programs: Path, aws_authority: bytes) -> Registry:
    """Start the registry. Its keys go to `disk`, which is created, and its log to `logs`.

    The authenticator's image trusts AWS's authority.
    """
    disk.mkdir(mode=0o700, parents=True)
    authority = pki.new_authority("Testbed registry CA")
    pair = pki.issue(authority, REGISTRY, sans=[REGISTRY])
    certificate, key, aws = disk / "registry.crt", disk / "registry.key", disk / "aws.crt"
    certificate.write_bytes(pair.certificate_pem)
    key.write_bytes(pair.key_pem)
    aws.write_bytes(aws_authority)
    arguments = [LAB_ADDRESS, str(certificate), str(key), str(programs), str(aws)]
    log = logs / "registry.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "testbed.registry.server", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Registry(authority.certificate_pem, process, log)
