"""How much a hook asks of Juju: each hook tool is a process, and most are a request of it."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import pytest
from ops import testing
from tests.fakes import at_rest
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import csr_protocol, x509

# Each takes longer to import than the rest of a settled hook takes.
HEAVY = (csr_protocol, x509)
ALARM = testing.Secret(
    {"purpose": "to expire"},
    label="alarm",
    owner="unit",
    expire=dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc),
)


@pytest.fixture
def modern(model: Model, api: FakeCluster) -> Model:
    """At rest with an authority of the newer protocol."""
    model.provider = SelfSigned()
    at_rest.settle(model, api)
    model.hook()
    return model


@pytest.mark.parametrize(
    ("deployed", "unit", "most"),
    [("two", 0, 15), ("two", 1, 10), ("modern", 0, 16)],
    ids=["leader", "another unit", "newer protocol"],
)
def test_given_a_settled_unit_when_a_hook_runs_then_it_calls_few_hook_tools(
    request: pytest.FixtureRequest, deployed: str, unit: int, most: int
):
    model: Model = request.getfixturevalue(deployed)
    model.hook(unit=unit)

    assert model.hook(unit=unit).name == "active"
    assert len(model.units[unit].tools) <= most


@pytest.mark.parametrize("event", ["update_status", "config_changed", "leader_elected", "alarm"])
def test_given_the_newer_protocol_when_nothing_is_new_then_its_library_is_not_loaded(
    modern: Model, monkeypatch: pytest.MonkeyPatch, event: str
):
    if event == "alarm":
        modern.units[0].secrets = frozenset([ALARM])
    for module in HEAVY:
        monkeypatch.delattr(module.__name__)
        monkeypatch.setitem(sys.modules, module.__name__, None)
    if event == "alarm":
        modern.expire("alarm")
    else:
        modern.hook(getattr(modern.on, event)())

    assert modern.units[0].status.name == "active"


@pytest.mark.parametrize("event", ["install", "leader_elected", "config_changed", "start"])
def test_given_a_unit_without_its_control_plane_when_a_hook_runs_then_it_asks_for_that_only(
    easyrsa: Easyrsa, api: FakeCluster, files: Files, event: str
):
    model = Model(easyrsa, [files], endpoints=())
    model.hook(getattr(model.on, event)())

    assert api.seen == []
    assert len(model.units[0].tools) <= 6


# What only a leader needs is imported by no other unit.

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
print(*sorted({"httpx2", "leader", "lightkube"} & set(sys.modules)))
"""


def run(script: str, *arguments: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.check_output(command, env=environment, text=True).splitlines()


def test_given_a_unit_that_does_not_lead_then_it_imports_nothing_of_a_leader(tmp_path: object):
    status, imported = run(FOLLOWER, str(tmp_path))

    assert status == "waiting for the leader to deploy the authenticator"
    assert imported == ""
