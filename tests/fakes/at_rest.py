"""Deployments at rest: settled once a process, and copied into each test that begins like that.

To settle takes several hooks, which is longer than most tests take.
"""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes.juju.model import Model, Placed, Unit
from tests.fakes.kubernetes.server import FakeCluster

# What belongs to one test alone, or is copied piece by piece.
_OWN = {"provider", "machines", "units", "clock", "context", "_lock", "authority", "_key"}
_KNOWN: dict[tuple[bytes, ...], Deployment] = {}


def settle(model: Model, api: FakeCluster) -> None:
    """Bring a new model to rest, as `Model.settle` does."""
    beginning = _beginning(model, api)
    if beginning in _KNOWN:
        _KNOWN[beginning].copy_into(model, api)
    else:
        model.settle()
        _KNOWN[beginning] = Deployment(model, api)


class Deployment:
    """A model and its cluster, as they are when this is made."""

    def __init__(self, model: Model, api: FakeCluster) -> None:
        self._model = _state(model)
        self._units = [_state(unit) for unit in model.units]
        self._logs = [list(unit.context.juju_log) for unit in model.units]
        self._now = api.clock.now
        self._pickled = pickle.dumps((_state(api), _state(model.provider)))
        self._folder = Path(tempfile.mkdtemp())
        weakref.finalize(self, _remove, self._folder, os.getpid())
        for number, folder in enumerate(_folders(model.machines)):
            shutil.copytree(folder, self._folder / str(number), symlinks=True)

    def copy_into(self, model: Model, api: FakeCluster) -> None:
        """Let a new model and cluster be as these are."""
        cluster, provider = pickle.loads(self._pickled)
        vars(api).update(cluster)
        api.clock.now = self._now
        if model.provider:
            vars(model.provider).update(provider)
        vars(model).update(_copied(self._model))
        for unit, state, log in zip(model.units, self._units, self._logs, strict=True):
            vars(unit).update(_copied(state))
            unit.context.juju_log[:] = log
        for number, folder in enumerate(_folders(model.machines)):
            kept = self._folder / str(number)
            shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
            for path in folder.rglob("*"):
                # The first to read a file changes its time of access; hooks have read these.
                if path.is_file():
                    path.read_bytes()


def _remove(folder: Path, process: int) -> None:
    """Remove a folder in the process that made it. Those that mutmut forks of it end before."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def _beginning(model: Model, api: FakeCluster) -> tuple[bytes, ...]:
    """Return all that decides how a new model comes to rest."""
    files = [
        (str(path.relative_to(folder)), path.read_bytes())
        for folder in _folders(model.machines)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    authority = getattr(model.provider, "authority", None)
    known = getattr(authority, "certificate", authority)
    states = (_state(model), [_state(unit) for unit in model.units], _state(api))
    provider = (type(model.provider).__name__, _state(model.provider))
    others = (str(known), provider, files, len(model.machines))
    return tuple(pickle.dumps(part) for part in (*states, *others))


def _folders(machines: Sequence[Placed]) -> list[Path]:
    return [placed.machine.root for placed in machines]


def _state(thing: Model | Unit | FakeCluster | object) -> dict[str, Any]:
    return _copied({name: value for name, value in vars(thing).items() if name not in _OWN})


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    # What ops.testing has made is never changed.
    return {
        name: type(value)(value) if isinstance(value, dict | list | set) else value
        for name, value in state.items()
    }
