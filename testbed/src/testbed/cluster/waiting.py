"""Waits for a server of the lab to listen."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path

_LISTEN_TIMEOUT = 20.0
"""Seconds that a server of the lab may take to listen."""


class NotListening(Exception):
    """A server of the lab ended or does not listen; the message has its log's last line."""


def wait_for_port(
    address: str, port: int, process: subprocess.Popen[bytes], name: str, log: Path
) -> None:
    """Return as soon as the process listens. Raises NotListening if it ends or takes too long."""
    deadline = time.monotonic() + _LISTEN_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.01)
    lines = log.read_text(errors="replace").strip().splitlines()
    raise NotListening(f"{name} does not listen: {lines[-1] if lines else 'it said nothing'}")
