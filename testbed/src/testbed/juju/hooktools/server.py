"""The socket that hook tools call: one JSON request a connection, one JSON answer."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.hooktools import SPECS
from testbed.juju.hooktools.call import invoke
from testbed.juju.hooktools.context import Context
from testbed.juju.listener import Listener


class ToolServer:
    """Answers hook tools for the contexts that are registered with it.

    `lock` guards the model, and is held while a tool runs.
    """

    def __init__(self, path: Path, lock: Any):
        self._lock = lock
        self._contexts: dict[str, Context] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._listener = Listener(path, 0o600, self._answer)
        threading.Thread(target=self._listener.serve, daemon=True, name="hook-tools").start()

    def register(self, context: Context) -> None:
        self._contexts[context.id] = context

    def unregister(self, context: Context) -> None:
        self._contexts.pop(context.id, None)

    def close(self) -> None:
        self._listener.close()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                line = connection.makefile("rb").readline()
                if line:
                    connection.sendall(json.dumps(self._call(json.loads(line))).encode())
            except (OSError, ValueError):
                return  # the tool was killed

    def _call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            context = self._contexts.get(request["context"])
            if context is None:
                return _answered(1, "", f'ERROR unknown context "{request["context"]}"')
            tool = request["tool"]
            if tool not in SPECS:
                return _answered(1, "", f'ERROR unknown command "{tool}"')
            context.calls += 1
            files = {
                path: base64.b64decode(content or "")
                for path, content in (request.get("files") or {}).items()
            }
            try:
                output = invoke(SPECS[tool], context, request["args"], files)
            except ToolError as error:
                return _answered(error.code, "", str(error))
            return _answered(0, output, "")


def _answered(code: int, stdout: str, stderr: str) -> dict[str, Any]:
    return {
        "code": code,
        "stdout": base64.b64encode(stdout.encode()).decode(),
        "stderr": base64.b64encode((stderr + "\n" if stderr else "").encode()).decode(),
    }
