"""A controller process, in place of Juju's, that does with machines what a test asks for."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

from testbed.cluster.machine import Machine
from testbed.lab import Lab
from testbed.paths import LabPaths

CONTROLLER = f"{__name__}:serve"

_ENVIRONMENT = {
    "PATH": "/snap/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


def serve(lab: Lab) -> None:
    """Answer one JSON request for each connection, in a thread."""
    machines: dict[str, Machine] = {}
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(lab.state / "juju.sock"))
        server.listen()
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_answer, args=(lab, machines, connection), daemon=True).start()


def _answer(lab: Lab, machines: dict[str, Machine], connection: socket.socket) -> None:
    with connection, connection.makefile("rw") as stream:
        line = stream.readline()
        if line:
            request = json.loads(line)
            stream.write(json.dumps(_OPERATIONS[request.pop("do")](lab, machines, **request)))


def _create(lab: Lab, machines: dict[str, Machine], model: str, number: int) -> dict[str, Any]:
    machine = lab.create_machine(model, number, "ubuntu@22.04")
    machines[machine.hostname] = machine
    return {
        "hostname": machine.hostname,
        "address": machine.address,
        "root": str(machine.root),
        "pid": machine.pid,
    }


def _close(lab: Lab, machines: dict[str, Machine], hostname: str) -> None:
    machines.pop(hostname).close()


def _run(
    lab: Lab,
    machines: dict[str, Machine],
    hostname: str,
    argv: list[str],
    text: str,
    user: str | None,
) -> list[Any]:
    process = machines[hostname].popen(
        argv, env=_ENVIRONMENT, user=user, stdin=-1, stdout=-1, stderr=-2, text=True
    )
    output, _ = process.communicate(text, timeout=120)
    return [process.returncode, output]


def _kill(lab: Lab, machines: dict[str, Machine], hostname: str, argv: list[str]) -> None:
    process = machines[hostname].popen(argv, env=_ENVIRONMENT)
    time.sleep(0.3)
    assert process.poll() is None
    process.kill()
    process.wait()


_OPERATIONS = {"create": _create, "close": _close, "run": _run, "kill": _kill}


@dataclass(frozen=True)
class Answer:
    """The exit code and output of a program in a machine."""

    code: int
    output: str


class Remote:
    """The client of that controller process, for tests."""

    def __init__(self, paths: LabPaths) -> None:
        self._paths = paths

    def create(self, model: str, number: int) -> RemoteMachine:
        """Create a machine."""
        return RemoteMachine(self, **self._ask(do="create", model=model, number=number))

    def ask(self, **request: Any) -> Any:
        """Send a request to the controller process, and return its answer."""
        return self._ask(**request)

    def _ask(self, **request: Any) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._paths.juju_socket))
            with connection.makefile("rw") as stream:
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                return json.loads(stream.readline())


@dataclass(frozen=True)
class RemoteMachine:
    """A machine of the lab, as a test sees it."""

    remote: Remote
    hostname: str
    address: str
    root: str
    pid: int

    def run(self, *argv: str, text: str = "", user: str | None = None) -> Answer:
        """Run a program in the machine, with this standard input."""
        request = {"hostname": self.hostname, "argv": argv, "text": text, "user": user}
        return Answer(*self.remote.ask(do="run", **request))

    def check(self, *argv: str, text: str = "") -> str:
        """Run a program in the machine that must exit with 0, and return its output."""
        answer = self.run(*argv, text=text)
        assert answer.code == 0, f"{' '.join(argv)}: {answer.code}\n{answer.output}"
        return answer.output

    def write(self, path: str, content: str) -> None:
        """Write a file in the machine, and the folders that lead to it."""
        self.check(
            "sh", "-c", 'mkdir -p "$(dirname "$1")" && cat > "$1"', "sh", path, text=content
        )

    def close(self) -> None:
        """End the machine."""
        self.remote.ask(do="close", hostname=self.hostname)
