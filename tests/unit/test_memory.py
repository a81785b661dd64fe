"""What a unit remembers between its hooks."""

from __future__ import annotations

from typing import Any

import pytest
from ops.framework import Framework, StoredStateData
from tests.fakes.acting import grant
from tests.fakes.juju.model import Model


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The records that hooks write, by their names."""
    found = list[str]()
    save = Framework.save_snapshot

    def note(framework: Framework, value: Any) -> None:
        # ops has a record of its own.
        if isinstance(value, StoredStateData) and value.handle.path.startswith("AwsIamCharm"):
            found.append(value.handle.path)
        save(framework, value)

    monkeypatch.setattr(Framework, "save_snapshot", note)
    return found


def test_given_the_same_state_when_a_hook_runs_then_it_writes_no_record(
    deployed: Model, saved: list[str]
):
    deployed.hook()
    saved.clear()

    assert deployed.hook().name == "active"
    assert saved == []


def test_given_something_to_remember_when_a_hook_runs_then_one_record_has_all_of_it(
    deployed: Model, saved: list[str]
):
    grant(deployed, for_="1h")
    deployed.hook()

    assert set(saved) == {"AwsIamCharm/Memory[memory]/StoredStateData[stored]"}
    (record,) = (each for each in deployed.units[0].stored if each.name == "stored")
    assert record.content["end"] > 0
