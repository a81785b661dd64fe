"""The controller: all models, their uniters and their machines.

One lock, a condition, guards all state. Whoever changes a model calls `changed`, still under the
lock: it works out what follows, starts and stops uniters and machines, and wakes all waiters.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from testbed.faults.intercept import Intercepts
from testbed.juju.controller import lifecycle, removal
from testbed.juju.controller.removal import Effects
from testbed.juju.controller.store import Store
from testbed.juju.errors import JujuError
from testbed.juju.hooktools.server import ToolServer
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.logbook import Logbook
from testbed.juju.state.machine import Machine, MachineLike
from testbed.juju.state.model import Model, Unit
from testbed.juju.state.status import DEAD, DYING, Status
from testbed.juju.uniter.uniter import Uniter

CONTROLLER_NAME, CLOUD, REGION, USER = "testbed", "testbed", "local", "admin"
DEFAULT_MODEL = "default"
_UNITER_END_SECONDS = 10.0


class LabLike(Protocol):
    """What the controller needs of the lab; see testbed/lab.py."""

    @property
    def state(self) -> Path: ...
    @property
    def charm_store(self) -> Path: ...
    @property
    def programs(self) -> Path: ...

    def create_machine(self, model: str, number: int, base: str) -> MachineLike: ...


class Controller:
    """All models of one lab."""

    def __init__(self, lab: LabLike, manner: Manner = Manner.JUJU_3_6):
        self.lab, self.intercepts, self.manner = lab, Intercepts(lab.state), manner
        self.lock = threading.Condition(threading.RLock())
        self.models: dict[str, Model] = {}
        self.store = Store(lab.charm_store, lab.state / "charms", manner)
        self.hooktool = lab.programs / "hooktool"
        self.logs: dict[str, Logbook] = {}
        self._histories: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.tools = ToolServer(lab.state / "agents" / "tools.sock", self.lock)
        self._uniters: dict[tuple[str, str], Uniter] = {}
        self._hook_locks: dict[tuple[str, str], threading.Lock] = {}
        self.add_model(DEFAULT_MODEL)

    def close(self) -> None:
        """Destroy every model with its machines."""
        for name in list(self.models):
            self.destroy_model(self.models[name])
        self.tools.close()

    def add_model(self, name: str) -> Model:
        with self.lock:
            if name in self.models:
                raise JujuError(
                    f'failed to create new model: model "{name}" for {USER} already exists'
                )
            model = self.models[name] = Model(name, manner=self.manner)
            self.logs[model.uuid] = Logbook()
            return model

    def model(self, name: str) -> Model:
        """Return the model of this name. Raise JujuError if there is none."""
        if name not in self.models:
            raise JujuError(f"model {CONTROLLER_NAME}:{USER}/{name} not found")
        return self.models[name]

    def destroy_model(self, model: Model) -> None:
        """Destroy a model at once: kill what its units run, and close its machines."""
        with self.lock:
            model.life = DYING
            keys = [key for key in self._uniters if key[0] == model.uuid]
            uniters = [self._uniters.pop(key) for key in keys]
            for uniter in uniters:
                uniter.kill()
            machines = list(model.machines.values())
            self.lock.notify_all()
        for uniter in uniters:
            uniter.join(_UNITER_END_SECONDS)
        for machine in machines:
            self._close_machine(model, machine)
        self.intercepts.remove(model.uuid)
        with self.lock:
            del self.models[model.name]
            self.lock.notify_all()

    def changed(self, model: Model) -> None:
        """Work out and do what follows from a change. Called under the lock."""
        if model.life == DYING:
            return
        self._apply(model, lifecycle.advance(model))

    def _apply(self, model: Model, effects: Effects) -> None:
        for unit in effects.ended:
            uniter = self._uniters.pop((model.uuid, unit.name), None)
            if uniter is not None:
                uniter.kill()
        for unit in effects.started:
            self.start_uniter(model, unit)
        for machine in effects.machines_gone:
            thread = threading.Thread(target=self._close_machine, args=(model, machine))
            thread.start()
        self.lock.notify_all()

    def history(self, model: Model, unit: str) -> list[dict[str, Any]]:
        """Return what a unit has run, even one that is gone. Called under the lock."""
        return self._histories.setdefault((model.uuid, unit), [])

    def uniter(self, model: Model, unit: Unit) -> Uniter:
        if unit.life == DEAD:
            raise JujuError(f'unit "{unit.name}" is dead')
        return self._uniters[(model.uuid, unit.name)]

    def start_uniter(self, model: Model, unit: Unit) -> None:
        uniter = self._uniters[(model.uuid, unit.name)] = Uniter(self, model, unit)
        uniter.start()

    def remove_now(self, model: Model, unit: Unit) -> None:
        """Remove a unit without running its hooks (`--force`). Called under the lock."""
        effects = Effects()
        removal.remove_unit(model, unit, effects)
        self._apply(model, effects)

    def idle(self, model: Model) -> bool:
        """Return whether nothing runs and nothing is due in a model. Called under the lock."""
        pending = any(machine.status.current == "pending" for machine in model.machines.values())
        uniters = (uniter for (uuid, _), uniter in self._uniters.items() if uuid == model.uuid)
        return not pending and all(uniter.idle() for uniter in uniters)

    def add_machine(self, model: Model, base: str) -> Machine:
        """Return a new machine, which boots in the background. Called under the lock."""
        machine = Machine(str(model.next_machine), base)
        model.next_machine += 1
        model.machines[machine.id] = machine
        thread = threading.Thread(target=self._boot, args=(model, machine), daemon=True)
        thread.start()
        return machine

    def _boot(self, model: Model, machine: Machine) -> None:
        try:
            host = self.lab.create_machine(model.name, int(machine.id), machine.base)
        except Exception as error:  # noqa: BLE001 - the machine's status must show any failure
            with self.lock:
                machine.status = Status("error", str(error))
                self._log_line(
                    model, f"machine-{machine.id}", "ERROR", "juju.provisioner", str(error)
                )
                self.lock.notify_all()
            return
        with self.lock:
            machine.host, machine.status = host, Status("started")
            wanted = model.machines.get(machine.id) is machine and model.life != DYING
            self.changed(model)
        if not wanted:
            host.close()

    def _close_machine(self, model: Model, machine: Machine) -> None:
        if machine.host is None:
            return
        try:
            machine.host.close()
        except Exception as error:  # noqa: BLE001 - the log has it, and the model must go on
            entity = f"machine-{machine.id}"
            with self.lock:
                self._log_line(model, entity, "ERROR", "juju.provisioner", str(error))

    @contextmanager
    def hook_lock(self, model: Model, machine: Machine) -> Iterator[None]:
        """Hold the lock that lets one hook run at a time on a machine."""
        with self.lock:
            lock = self._hook_locks.setdefault((model.uuid, machine.id), threading.Lock())
        with lock:
            yield

    def log(self, model: Model, unit: str, level: str, module: str, message: str) -> None:
        """Log a line of a unit, unless Juju's default logging-config leaves its level out."""
        with self.lock:
            self._log_line(model, names.tag_of(unit), level, module, message)

    def _log_line(self, model: Model, entity: str, level: str, module: str, message: str) -> None:
        if level not in ("TRACE", "DEBUG"):
            self.logs[model.uuid].write(entity, level, module, message)
            self.lock.notify_all()
