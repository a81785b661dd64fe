"""The authenticator that the testbed builds: which Go built it, and what ended it once."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conformance import http2_settings

from testbed.programs import build, modules
from testbed.programs.modules import Module

MODULE = Module(modules.HERE / "authenticator")
ADDRESS = "127.0.0.1"
SECONDS = 8
CONFIG = """\
clusterID: test
server:
  mapUsers:
  - userARN: arn:aws:iam::111122223333:user/alice
    username: alice
"""


@dataclass
class Authenticator:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def is_healthy(self) -> bool:
        """Return whether it answers, as its probes ask."""
        unverified = ssl.create_default_context()
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        url = f"https://{ADDRESS}:{self.port}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=5, context=unverified) as answer:
                return answer.read() == b"ok"
        except OSError:
            return False


def free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def authenticator(tmp_path: Path) -> Iterator[Authenticator]:
    """Run the authenticator on the loopback interface, with the mappings of a file."""
    program = build.built([MODULE]) / "aws-iam-authenticator"
    (tmp_path / "config.yaml").write_text(CONFIG)
    port, log = free_port(), tmp_path / "log"
    command = [
        *(program, "server", "--config", tmp_path / "config.yaml", "--backend-mode=MountedFile"),
        *(f"--state-dir={tmp_path}", f"--generate-kubeconfig={tmp_path}/kubeconfig"),
        *(f"--address={ADDRESS}", f"--port={port}"),
    ]
    environment = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": os.environ["HOME"]}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment, stderr=output, stdout=output) as process,
    ):
        found = Authenticator(process, port, log)
        deadline = time.monotonic() + 30
        while not found.is_healthy():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield found
        process.kill()


def test_given_a_client_that_changes_settings_while_it_asks_then_the_authenticator_lives(
    authenticator: Authenticator,
) -> None:
    asked = http2_settings.change_while_asking(ADDRESS, authenticator.port, SECONDS)

    ends = authenticator.log.read_text()[-2_000:]
    assert authenticator.process.poll() is None, ends
    assert authenticator.is_healthy()
    assert asked > 1_000
