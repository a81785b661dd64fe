"""The server of the `juju` and `testbedctl` executables, on a unix socket.

A client sends a 4-byte length, that many bytes of JSON, and five file descriptors: stdin, stdout,
stderr, working directory and root directory. It gets `{"code": N}` back when the command is done.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testbed.juju import manner
from testbed.juju.cli.invocation import Invocation
from testbed.juju.cli.main import main
from testbed.juju.controller.controller import Controller
from testbed.juju.listener import Listener

_DESCRIPTORS = 5


class CliServer:
    """Serves clients, each in a thread of its own."""

    def __init__(self, controller: Controller, path: Path):
        self._controller = controller
        self._listener = Listener(path, 0o666, self._answer)

    def serve(self) -> None:
        """Answer clients until `close`."""
        self._listener.serve()

    def close(self) -> None:
        self._listener.close()

    def _answer(self, connection: socket.socket) -> None:
        descriptors: list[int] = []
        try:
            request, descriptors = _receive(connection)
            code = self._run(connection, request, descriptors)
            connection.sendall(json.dumps({"code": code}).encode())
        except OSError:
            return  # the client is gone
        finally:
            connection.close()
            for descriptor in descriptors:
                os.close(descriptor)

    def _run(
        self, connection: socket.socket, request: Mapping[str, Any], descriptors: list[int]
    ) -> int:
        invocation = Invocation(self._controller, request["env"], connection, *descriptors)
        try:
            return main(invocation, request["program"], request["argv"])
        except BrokenPipeError:
            return 1
        except Exception:  # noqa: BLE001 - a bug must reach the operator, not end the server
            invocation.info(f"ERROR the testbed's juju failed:\n{traceback.format_exc()}")
            return 1


def serve(lab: Any) -> None:
    """Run the controller of a lab on `<state>/juju.sock`. This does not return."""
    CliServer(Controller(lab, manner.chosen()), lab.state / "juju.sock").serve()


def _receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    data, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, _DESCRIPTORS)
    while len(data) < 4 or len(data) < 4 + struct.unpack("!I", data[:4])[0]:
        more = connection.recv(1 << 16)
        if not more:
            raise OSError("client hung up")
        data += more
    return json.loads(data[4:]), list(descriptors)
