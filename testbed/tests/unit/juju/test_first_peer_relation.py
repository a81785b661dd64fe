"""A refresh to a charm with its first peer relation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from testbed.juju.controller import lifecycle, relating
from testbed.juju.state.charm import read_charm
from testbed.juju.state.machine import Machine
from testbed.juju.state.model import Application, Model, Unit
from testbed.juju.uniter.operation import committed
from testbed.juju.uniter.remotestate import snapshot
from testbed.juju.uniter.resolver import next_hook
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.localmachine import LocalMachine


@pytest.fixture
def unit(tmp_path: Path) -> tuple[Model, Unit]:
    """Return a unit that has run the first hooks of a charm without peers."""
    newer = read_charm(pack(tmp_path, PRINCIPAL))
    older = replace(newer, endpoints={k: v for k, v in newer.endpoints.items() if k != "friends"})
    model = Model("default")
    host = LocalMachine("default", 0, tmp_path / "machine", tmp_path)
    machine = model.machines["0"] = Machine("0", "ubuntu@24.04", host)
    application = Application("host", older, 1, "local", "", "ubuntu@24.04")
    model.applications["host"] = application
    unit = lifecycle.add_unit(model, application, machine)
    run(model, unit)
    application.charm, application.charm_version = newer, 2
    relating.add_peer(model, application, newer.endpoints["friends"])
    return model, unit


def run(model: Model, unit: Unit) -> list[str]:
    """Run all hooks that are due, and return their names."""
    ran = []
    while True:
        lifecycle.advance(model)
        remote = snapshot(model, unit, retry_due=False)
        hook = next_hook(unit.local, remote)
        if hook is None:
            return ran
        ran.append(hook.name)
        unit.local = committed(unit.local, hook, remote)


def test_given_a_new_peer_relation_when_refreshed_then_the_older_charm_never_hears_of_it(
    unit: tuple[Model, Unit],
):
    assert run(*unit) == ["upgrade-charm", "config-changed", "friends-relation-created"]


def test_given_a_new_peer_relation_when_refreshed_then_upgrade_charm_does_not_see_it(
    unit: tuple[Model, Unit],
):
    model, host = unit
    lifecycle.advance(model)

    assert all(host.name not in relation.joined for relation in model.relations.values())
