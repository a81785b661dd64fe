"""The first process of a machine."""

from __future__ import annotations

import subprocess
import sys

# A process that is slow to say its child's id, and a child that has something to say at once.
PROGRAM = """
import builtins, os, time
from testbed.cluster import linux

say = builtins.print
builtins.print = lambda *words, **how: (time.sleep(0.3), say(*words, **how))
linux.unshare = lambda namespaces: None
linux.become_first_process(0)
os.write(1, f"ready {os.getpid()}\\n".encode())
"""


def test_given_a_slow_parent_when_a_process_becomes_the_first_then_its_id_comes_first():
    program = [sys.executable, "-c", PROGRAM]
    child, ready = subprocess.check_output(program, text=True).splitlines()

    assert ready == f"ready {child}"
