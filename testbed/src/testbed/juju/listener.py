"""A unix socket that serves several clients at the same time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

_BACKLOG = 128


class Listener:
    """Listens on `path`, a file with permissions `mode`, as soon as it is created.

    `answer` runs in a thread of its own for each client, and closes the connection.
    """

    def __init__(self, path: Path, mode: int, answer: Callable[[socket.socket], None]):
        path.unlink(missing_ok=True)
        self._answer = answer
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        path.chmod(mode)
        self._socket.listen(_BACKLOG)

    def serve(self) -> None:
        """Accept clients until `close`."""
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
