"""The fixtures of `unit` and `scenarios`: machines, a cluster, a model, and a clock of theirs."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ops
import pytest
from hypothesis import settings
from tests.fakes import at_rest
from tests.fakes.certificates.authority import root
from tests.fakes.declaring import Declare
from tests.fakes.juju.model import HOOK_TOOLS, QUICK, Easyrsa, Model
from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.paths import ADDRESS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered
from tests.fakes.once import read_once

from charm import quieten_libraries

# What a conftest takes by one import.
__all__ = [
    "_hook_tools",
    "_quiet",
    "_read_once",
    "api",
    "asking",
    "declare",
    "departing",
    "deployed",
    "easyrsa",
    "files",
    "goals",
    "machines",
    "model",
    "two",
]

Goals = Callable[..., None]

settings.register_profile("charm", deadline=None, max_examples=60)
settings.register_profile("fuzz", deadline=None, max_examples=3_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "charm"))


@pytest.fixture(scope="session", autouse=True)
def _read_once() -> Iterator[None]:
    with read_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def _quiet() -> None:
    """Log as the charm does: without what libraries say of every request and step."""
    quieten_libraries()


@pytest.fixture
def machines(tmp_path: Path) -> list[Files]:
    """Two machines of control planes, each with its admin's kubeconfig."""
    return [Files(tmp_path / "0"), Files(tmp_path / "1")]


@pytest.fixture
def files(machines: list[Files]) -> Files:
    """The first unit's machine."""
    return machines[0]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    """The cluster. Whatever httpx2 would send over a socket goes to it."""
    fake = FakeCluster(Clock())
    fake.install(monkeypatch)
    yield fake
    if not QUICK:
        fake.recover()


@pytest.fixture(autouse=True)
def _hook_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    HOOK_TOOLS.install(monkeypatch)


@pytest.fixture
def easyrsa() -> Easyrsa:
    return Easyrsa(root())


@pytest.fixture
def model(easyrsa: Easyrsa, api: FakeCluster, files: Files) -> Model:
    """One unit on a control plane of Charmed Kubernetes <= 1.28, with easyrsa."""
    return Model(easyrsa, [files])


@pytest.fixture
def two(easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]) -> Model:
    """Two units at rest."""
    model = Model(easyrsa, machines, units=2)
    at_rest.settle(model, api)
    return model


@pytest.fixture
def deployed(model: Model, api: FakeCluster) -> Model:
    """The same, come to rest."""
    at_rest.settle(model, api)
    api.forget()
    return model


@pytest.fixture
def declare(deployed: Model) -> Declare:
    """Sets the option to these entries, and runs config-changed; the status then."""

    def run(*entries: dict[str, Any]) -> ops.StatusBase:
        deployed.config = {"mappings": json.dumps(entries) if entries else ""}
        return deployed.hook(deployed.on.config_changed())

    return run


@pytest.fixture
def goals(monkeypatch: pytest.MonkeyPatch) -> Goals:
    """Sets what Juju's goal state lists on an endpoint: units by their name, and their status."""

    def say(endpoint: str = "", units: dict[str, str] | None = None) -> None:
        listed = {name.partition("/")[0]: "joined" for name in units or {}} | (units or {})
        now = datetime.datetime.now(datetime.timezone.utc)
        found = {k: ops.hookcmds.Goal(status=v, since=now) for k, v in listed.items()}
        state = ops.hookcmds.GoalState(units={}, relations={endpoint: found} if endpoint else {})
        monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: state)

    return say


@pytest.fixture
def departing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has Juju say of each departure that it is the unit's own."""
    own = property(lambda event: event.framework.model.unit)
    monkeypatch.setattr(ops.RelationDepartedEvent, "departing_unit", own)


@pytest.fixture
def asking(easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]) -> Model:
    """Two units at rest, on control planes whose option names the Service's address."""
    for files in machines:
        files.auth_webhook.write_text(rendered(f"https://{ADDRESS}:443/authenticate"))
    model = Model(easyrsa, machines, units=2, endpoints=("control-plane",))
    at_rest.settle(model, api)
    api.forget()
    return model
