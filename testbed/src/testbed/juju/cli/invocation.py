"""One invocation of the `juju` executable, as the controller serves it.

The executable sends its arguments. It sends its standard streams, its working directory and its
root directory as file descriptors, so commands read and write as if they ran in its process.
"""

from __future__ import annotations

import math
import os
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from testbed.juju.controller.controller import DEFAULT_MODEL, Controller
from testbed.juju.errors import JujuError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state.model import Model

_GLANCE_SECONDS = 0.2  # between two checks whether the client is gone
MODEL = Flag("model", aliases=("m",))


@dataclass
class Invocation:
    """Everything that a command works with."""

    controller: Controller
    env: Mapping[str, str]
    connection: socket.socket
    stdin: int
    stdout: int
    stderr: int
    directory: int
    root: int
    model_flag: str = field(default="", init=False)

    @property
    def model(self) -> Model:
        name = self.model_flag or self.env.get("JUJU_MODEL") or DEFAULT_MODEL
        return self.controller.model(name)

    def print(self, text: str = "", *, end: str = "\n") -> None:
        _write(self.stdout, text + end)

    def info(self, text: str) -> None:
        """Print a line for people, not for scripts, on stderr: news or an error."""
        _write(self.stderr, text + "\n")

    def ask(self, question: str) -> bool:
        """Ask the operator. Return False for a no, or if stdin has ended."""
        _write(self.stderr, question)
        answer = b""
        while not answer.endswith(b"\n"):
            byte = os.read(self.stdin, 1)
            if not byte:
                break
            answer += byte
        return answer.strip().lower() in (b"y", b"yes")

    def gone(self) -> bool:
        """Return whether the executable has ended, for example by Ctrl-C."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait, under the lock, until `ready()`. Return False if time or the client is gone."""
        lock = self.controller.lock
        until = math.inf if timeout is None else time.monotonic() + timeout
        while not ready():
            if self.gone() or time.monotonic() >= until:
                return False
            lock.wait(_GLANCE_SECONDS)
        return True

    def path(self, text: str) -> Path:
        """Return the controller's path of a file on the operator's machine."""
        base = self.root if text.startswith("/") else self.directory
        return Path(f"/proc/self/fd/{base}") / text.lstrip("/")

    def read(self, text: str) -> str:
        """Return the text of an operator's file; `-` is stdin. Raise JujuError."""
        try:
            if text == "-":
                with os.fdopen(os.dup(self.stdin)) as stream:
                    return stream.read()
            return self.path(text).read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise JujuError(f"open {text}: {reason.lower()}") from error


def _write(descriptor: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(descriptor, data) :]


Handler = Callable[[Invocation, Parsed], int | None]


@dataclass(frozen=True)
class Command:
    """One subcommand of `juju`."""

    name: str
    run: Handler
    purpose: str
    flags: Sequence[Flag] = ()
    interspersed: bool = True
    on_model: bool = True

    def all_flags(self) -> list[Flag]:
        return [*self.flags, MODEL] if self.on_model else list(self.flags)
