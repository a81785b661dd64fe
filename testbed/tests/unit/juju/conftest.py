"""A controller whose machines are folders, and a `juju` for it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from operators import Done, Operator
from testbed.juju.cli.server import CliServer
from testbed.juju.controller.controller import Controller
from testbed.juju.manner import Manner
from unit.juju.localmachine import LocalLab

BIN = Path(__file__).parents[3] / "bin"
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Juju(Operator):
    """The operator: runs `juju` and `testbedctl` in a folder."""

    lab: LocalLab
    controller: Controller
    folder: Path

    def try_(self, *args: str, program: str = "juju", stdin: str = "", **env: str) -> Done:
        """Run a command and return its result, success or not.

        It sends the controller the same request as testbed/bin/juju, without starting a process.
        """
        request = {"program": program, "argv": args, "env": self.environment | env}
        message = json.dumps(request).encode()
        with ExitStack() as stack:
            streams = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)]
            streams[0].write(stdin)
            streams[0].seek(0)
            folders = [os.open(path, os.O_RDONLY) for path in (self.folder, "/")]
            for folder in folders:
                stack.callback(os.close, folder)
            connection = stack.enter_context(socket.socket(socket.AF_UNIX))
            connection.settimeout(_TIMEOUT_SECONDS)
            connection.connect(str(self.lab.state / "juju.sock"))
            descriptors = [*(stream.fileno() for stream in streams), *folders]
            data = struct.pack("!I", len(message)) + message
            socket.send_fds(connection, [data], descriptors)
            answer = stack.enter_context(connection.makefile()).read()
            for stream in streams[1:]:
                stream.seek(0)
            return Done(json.loads(answer)["code"], streams[1].read(), streams[2].read())

    @property
    def manner(self) -> Manner:
        return self.controller.manner

    def __call__(self, *args: str, program: str = "juju", stdin: str = "", **env: str) -> str:
        done = self.try_(*args, program=program, stdin=stdin, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TESTBED_JUJU_SOCKET": str(self.lab.state / "juju.sock"),
        }

    def settle(self) -> None:
        self("settle", "--wait=30s", program="testbedctl")

    def control(self, *args: str) -> str:
        return self(*args, program="testbedctl")

    def hooks(self, unit: str) -> list[str]:
        runs = json.loads(self.control("hooks", unit))
        return [run["name"] for run in runs if run["code"] == 0]


@pytest.fixture
def juju(request: pytest.FixtureRequest) -> Iterator[Juju]:
    """Yield an operator of Juju 3.6, or of the Juju that `in_manner` names."""
    with a_controller(getattr(request, "param", Manner.JUJU_3_6)) as operator:
        yield operator


def in_manner(*manners: Manner) -> pytest.MarkDecorator:
    """Run a test with an operator of each of these Jujus."""
    return pytest.mark.parametrize(
        "juju", manners, indirect=True, ids=[manner.value for manner in manners]
    )


@contextmanager
def a_controller(manner: Manner = Manner.JUJU_3_6) -> Iterator[Juju]:
    """Yield the operator of a new controller with an empty model."""
    # The path of a unix socket has at most 107 characters, so tmp_path is too long.
    folder = Path(tempfile.mkdtemp(prefix="juju-"))
    programs = folder / "programs"
    programs.mkdir()
    shutil.copy(Path(__file__).with_name("hooktool"), programs / "hooktool")
    (folder / "operator").mkdir()
    lab = LocalLab(folder, programs)
    controller = Controller(lab, manner)
    server = CliServer(controller, lab.state / "juju.sock")
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield Juju(lab, controller, folder / "operator")
    finally:
        server.close()
        thread.join()
        controller.close()
        shutil.rmtree(folder, ignore_errors=True)
