"""jubilant drives the stand-in unchanged."""

from __future__ import annotations

from collections.abc import Iterator

import jubilant
import pytest

from unit.juju.charms import PRINCIPAL, STARTS, SUBORDINATE, pack
from unit.juju.conftest import BIN, Juju

GREETING = (
    STARTS
    + """
case "$JUJU_ACTION_NAME" in greet)
  name=$(action-get name)
  [ "$name" = nobody ] && action-fail "nobody is there"
  action-set greeting.to="$name" ;;
esac
"""
)
ACTIONS = {"greet": {"description": "Greets.", "params": {"name": {"type": "string"}}}}


@pytest.fixture
def operator(juju: Juju, monkeypatch: pytest.MonkeyPatch) -> Iterator[jubilant.Juju]:
    for name, value in juju.environment.items():
        monkeypatch.setenv(name, value)
    operator = jubilant.Juju(cli_binary=str(BIN / "juju"), wait_timeout=60)
    operator.add_model("tested")
    operator.model_config({"update-status-hook-interval": "1h"})
    yield operator
    operator.destroy_model("tested", force=True)


def all_ready(status: jubilant.Status) -> bool:
    return jubilant.all_agents_idle(status) and jubilant.all_active(status, "host", "rider")


def test_a_model_lives_from_deploy_to_removal(juju: Juju, operator: jubilant.Juju) -> None:
    options = {"colour": {"type": "string", "default": "red"}, "size": {"type": "int"}}
    host = pack(juju.folder, PRINCIPAL, behaviour=GREETING, config=options, actions=ACTIONS)
    rider = pack(juju.folder, SUBORDINATE)

    operator.deploy(host, config={"size": 3}, num_units=2)
    operator.deploy(rider)
    operator.integrate("rider", "host")
    status = operator.wait(all_ready, error=jubilant.any_error, delay=0.05)
    operator.config("host", {"colour": "blue"})
    operator.config("host", reset="size")
    task = operator.run("host/0", "greet", {"name": "you"})
    with pytest.raises(jubilant.TaskError) as failed:
        operator.run("host/leader", "greet", {"name": "nobody"})
    with pytest.raises(jubilant.CLIError) as refused:
        operator.deploy(host)

    assert sorted(status.get_units("rider")) == ["rider/0", "rider/1"]
    assert status.apps["host"].units["host/0"].leader
    assert status.machines["0"].hostname == "juju-tested-0"
    assert operator.config("host") == {"colour": "blue"}
    assert (task.status, task.results["greeting"]) == ("completed", {"to": "you"})
    assert failed.value.task.message == "nobody is there"
    assert "application already exists" in refused.value.stderr

    assert operator.exec("echo", "out", unit="host/0").stdout == "out\n"
    with pytest.raises(jubilant.TaskError):
        operator.exec("exit 3", unit="host/0")
    assert operator.ssh("host/0", "echo $USER") == "ubuntu\n"
    assert str(operator.version()).startswith("3.6.28")
    assert operator.show_unit("host/0").machine == "0"
    assert operator.model_config()["update-status-hook-interval"] == "1h"
    assert "unit-rider-0" in operator.debug_log()

    operator.refresh("host", path=host)
    operator.add_unit("host")
    operator.remove_relation("rider", "host")
    operator.remove_unit("host/1")
    operator.remove_application("rider")
    operator.wait(
        lambda s: (
            sorted(s.apps) == ["host"] and sorted(s.apps["host"].units) == ["host/0", "host/2"]
        ),
        delay=0.05,
    )
