"""What only a leader needs is imported by no other unit."""

from __future__ import annotations

import os
import subprocess
import sys

# Runs in a process of its own, because this one has long imported everything.
FOLLOWER = """
import pathlib, sys
from machine.files import Machine
import pytest
from tests.fakes.juju.model import HOOK_TOOLS, Model
HOOK_TOOLS.install(pytest.MonkeyPatch())
class Files:
    machine = Machine(pathlib.Path(sys.argv[1]))
model = Model(None, [Files])
model.leader = None
print(model.hook().message)
print(*sorted({"httpx2", "jinja2", "leader.steps", "lightkube"} & set(sys.modules)))
"""


def run(script: str, *arguments: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.check_output(command, env=environment, text=True).splitlines()


def test_given_a_unit_that_does_not_lead_then_it_imports_nothing_of_a_leader(tmp_path: object):
    status, imported = run(FOLLOWER, str(tmp_path))

    assert status == "waiting for the leader to deploy the authenticator"
    assert imported == ""


DECLARED = """
import sys, datetime
from access.declaration import declared
now = datetime.datetime.now(datetime.timezone.utc)
print(len(declared.parse(sys.argv[1], now).entries))
print("access.declaration.eks" in sys.modules)
"""


def test_given_an_option_without_access_entries_when_it_is_read_then_nothing_of_eks_is_imported():
    arn = "arn:aws:iam::111122223333:role/dev"

    assert run(DECLARED, f"mapRoles: [{{rolearn: '{arn}'}}]") == ["1", "False"]
    assert run(DECLARED, f"[{{principalArn: '{arn}'}}]") == ["1", "True"]
