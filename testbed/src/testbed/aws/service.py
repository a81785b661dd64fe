"""Starts the stand-ins for AWS: the STS, and a DNS that resolves its domains to it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from testbed.aws import regions, server
from testbed.cluster import pki
from testbed.cluster.settings import AWS_ADDRESS, LAB_ADDRESS
from testbed.cluster.waiting import wait_for_port

TROUBLED = "troubled"
"""The file beside the logs with the networks that the STS throttles, or answers late."""

_DNS_PORT = 53


@dataclass(frozen=True)
class StandIn:
    """The running servers, and the PEM of the authority that signed the STS's certificate."""

    authority: bytes
    sts: subprocess.Popen[bytes]
    dns: subprocess.Popen[bytes]
    logs: Path

    def wait(self) -> None:
        """Return when both servers listen. Raises NotListening."""
        wait_for_port(LAB_ADDRESS, _DNS_PORT, self.dns, "dnsmasq", self.logs / "dns.log")
        wait_for_port(AWS_ADDRESS, server.PORT, self.sts, "the STS", self.logs / "sts.log")


def start(disk: Path, logs: Path) -> StandIn:
    """Start STS and DNS. Their keys go to `disk`, which is created, and their logs to `logs`."""
    disk.mkdir(mode=0o700, parents=True)
    authority = pki.new_authority("Testbed AWS CA")
    pair = pki.issue(authority, "sts.amazonaws.com", sans=regions.host_names())
    certificate, key = disk / "sts.crt", disk / "sts.key"
    certificate.write_bytes(pair.certificate_pem)
    key.write_bytes(pair.key_pem)
    files = (certificate, key, logs / TROUBLED)
    arguments = ["testbed.aws.server", AWS_ADDRESS, *map(str, files)]
    sts = _start([sys.executable, "-m", *arguments], logs / "sts.log")
    dns = _start(dns_command(), logs / "dns.log")
    return StandIn(authority.certificate_pem, sts, dns, logs)


def dns_command() -> list[str]:
    """Return the command line of a DNS server that knows the domains of AWS only."""
    return [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--user=root",
        "--pid-file=",
        "--log-facility=-",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        f"--listen-address={LAB_ADDRESS}",
        f"--address=/{'/'.join(regions.DOMAINS)}/{AWS_ADDRESS}",
        "--local=/#/",
    ]


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with open(log, "wb") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
