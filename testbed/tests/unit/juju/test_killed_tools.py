"""A hook tool that was killed is no longer there to read its answer.

An exception in the thread that answers fails the test: pytest reports it.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

from testbed.juju.hooktools.server import ToolServer

QUESTION = json.dumps({"context": "rider/0-config-changed", "tool": "juju-log", "args": ["x"]})


def test_an_answer_that_nobody_reads_ends_its_thread_quietly(tmp_path: Path) -> None:
    lock, others = threading.Lock(), set(threading.enumerate())
    server = ToolServer(tmp_path / "tools.sock", lock, lambda _context, _tool: True)
    with lock, socket.socket(socket.AF_UNIX) as tool:
        tool.connect(str(tmp_path / "tools.sock"))
        tool.sendall(QUESTION.encode() + b"\n")
        while not (answering := _answering(others)):
            time.sleep(0.001)

    answering.join()

    server.close()


def _answering(others: set[threading.Thread]) -> threading.Thread | None:
    new = [thread for thread in threading.enumerate() if thread not in others]
    # A thread that only begins is listed too, and cannot be joined yet.
    begun = (thread for thread in new if thread.is_alive() and thread.name != "hook-tools")
    return next(begun, None)
