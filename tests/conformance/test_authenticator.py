"""The authenticator that the testbed builds: what ended it once, and what it serves with."""

from __future__ import annotations

import contextlib
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
from tests.fakes.certificates import pairs

from certificates import certificates
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


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Authenticator]:
    """Run the authenticator on the loopback interface, with the mappings of a file, and with the
    pair in ``folder``, or one of its own."""
    program = build.built([MODULE]) / "aws-iam-authenticator"
    (folder / "config.yaml").write_text(CONFIG)
    port, log = free_port(), folder / "log"
    command = [
        *(program, "server", "--config", folder / "config.yaml", "--backend-mode=MountedFile"),
        *(f"--state-dir={folder}", f"--generate-kubeconfig={folder}/kubeconfig"),
        *(f"--address={ADDRESS}", f"--port={port}"),
    ]
    environment = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": os.environ["HOME"]}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment, stderr=output, stdout=output) as process,
    ):
        found = Authenticator(process, port, log)
        deadline = time.monotonic() + 30
        try:
            while not found.is_healthy():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield found
        finally:
            process.kill()


@pytest.fixture
def authenticator(tmp_path: Path) -> Iterator[Authenticator]:
    with running(tmp_path) as found:
        yield found


@pytest.mark.parametrize("case", [case for case, (_, why) in pairs.CASES.items() if not why])
def test_given_a_pair_that_the_charm_takes_then_it_serves_with_that(
    tmp_path: Path, case: str
) -> None:
    pair = pairs.CASES[case][0]()
    (tmp_path / "cert.pem").write_text(pair.certificate)
    (tmp_path / "key.pem").write_text(pair.key)

    with running(tmp_path) as found:
        shown = ssl.get_server_certificate((ADDRESS, found.port))

    assert [shown] == certificates(pair.certificate)[:1]


def test_given_a_client_that_changes_settings_while_it_asks_then_the_authenticator_lives(
    authenticator: Authenticator,
) -> None:
    asked = http2_settings.change_while_asking(ADDRESS, authenticator.port, SECONDS)

    ends = authenticator.log.read_text()[-2_000:]
    assert authenticator.process.poll() is None, ends
    assert authenticator.is_healthy()
    assert asked > 1_000
