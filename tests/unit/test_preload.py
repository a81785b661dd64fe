"""What only a leader needs is imported while its hook waits, and by no other unit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.fakes.juju.model import Model

import preload

# Runs in a process of its own, because this one has long imported everything.
FOLLOWER = """
import pathlib, sys
from machine.files import Machine
from tests.fakes.juju.model import Model
class Files:
    machine = Machine(pathlib.Path(sys.argv[1]))
model = Model(None, [Files])
model.leader = None
print(model.hook().message)
print(*sorted({"httpx2", "jinja2", "leader.steps", "lightkube"} & set(sys.modules)))
"""
# The main thread ends at once.
LEADER = """
import atexit, preload, sys
atexit.register(lambda: print(set(preload.MODULES) - set(sys.modules)))
preload.begin()
"""


def run(script: str, *arguments: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.check_output(command, env=environment, text=True).splitlines()


def test_given_a_unit_that_does_not_lead_when_a_hook_runs_then_it_imports_nothing_of_a_leader(
    tmp_path: object,
):
    status, imported = run(FOLLOWER, str(tmp_path))

    assert status == "waiting for the leader to deploy the authenticator"
    assert imported == ""


def test_given_a_hook_that_ends_early_when_the_process_ends_then_every_import_has_run():
    assert run(LEADER) == ["set()"]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One item for each time that the imports begin."""
    times: list[bool] = []
    monkeypatch.setattr(preload, "begin", lambda: times.append(True))
    return times


@pytest.mark.parametrize(("leader", "times"), [(0, 1), (None, 0)])
def test_given_a_unit_that_has_its_webhook_when_a_hook_begins_then_a_leader_begins_the_imports(
    deployed: Model, begun: list[bool], leader: int | None, times: int
):
    deployed.leader = leader

    deployed.hook()

    assert len(begun) == times


def test_given_a_leader_that_waits_for_a_certificate_when_a_hook_begins_then_it_imports_nothing(
    model: Model, begun: list[bool]
):
    model.hook()

    assert begun == []
