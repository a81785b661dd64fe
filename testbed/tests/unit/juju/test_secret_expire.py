"""When an agent hears that a revision of a secret has expired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest

from testbed.juju.manner import Manner
from testbed.juju.state import secrets
from testbed.juju.state.secrets import Secret, Settings
from testbed.juju.uniter.secretexpire import SecretExpire

NOW = datetime(2026, 11, 25, 12, 30, 10, tzinfo=timezone.utc)
SOON, YEARS = NOW + timedelta(minutes=2), NOW + timedelta(days=1000)
BOTH = pytest.mark.parametrize("manner", list(Manner))


def secret(expire: datetime | None = SOON, name: str = "x", owner: str = "app/1") -> Secret:
    given = Settings(content={"key": "one"}, expire=expire)
    return secrets.changed(Secret(name, owner), given)


class Agent:
    """The agent of a follower, which runs each hook at once."""

    def __init__(self, manner: Manner):
        self.worker = SecretExpire(manner)

    def rings(self, held: Sequence[Secret], at: timedelta, *, leader: bool = False) -> list[str]:
        """Return what rings at a moment from now."""
        self.worker.look("app/1", held, NOW + at, leader=leader)
        rung = list(self.worker.expired)
        for revision in rung:
            self.worker.completed(revision)
        return [f"{name}/{number}" for name, number in rung]


@pytest.fixture
def agent(manner: Manner) -> Agent:
    return Agent(manner)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@BOTH
def test_it_rings_at_the_moment_and_every_five_minutes_from_then(agent: Agent) -> None:
    held = [secret()]
    moments = [0, 1.9, 2, 2.1, 6.9, 7, 11.9, 12]

    rung = [moment for moment in moments if agent.rings(held, minutes(moment))]

    assert rung == [2, 7, 12]
    assert agent.worker.alarm == NOW + minutes(17)


@BOTH
@pytest.mark.parametrize(
    ("owner", "leader", "rings"),
    [("app/1", False, True), ("app", True, True), ("app", False, False), ("app/0", True, False)],
)
def test_it_rings_for_what_the_unit_manages(
    agent: Agent, owner: str, leader: bool, rings: bool
) -> None:
    assert bool(agent.rings([secret(owner=owner)], minutes(2), leader=leader)) is rings


@BOTH
def test_an_expiry_with_content_leaves_the_former_revisions_past(agent: Agent) -> None:
    held = secret()
    agent.rings([held], minutes(2))

    renewed = secrets.changed(held, Settings(content={"key": "two"}, expire=YEARS))

    assert agent.rings([renewed], minutes(7)) == ["x/1"]


@BOTH
def test_it_rings_early_for_what_expires_in_the_same_minute(agent: Agent) -> None:
    held = [secret(), secret(SOON + timedelta(seconds=40), "y")]

    assert agent.rings(held, minutes(2)) == ["x/1", "y/1"]
    assert agent.rings(held, minutes(2) + timedelta(seconds=40)) == []
    assert agent.rings(held, minutes(7)) == ["x/1", "y/1"]


@BOTH
def test_what_has_rung_early_rings_at_another_time_once_it_has_that(agent: Agent) -> None:
    held = [secret(), secret(SOON + timedelta(seconds=40), "y")]
    agent.rings(held, minutes(2))
    moved = secret(SOON + timedelta(seconds=41), "y")

    assert agent.rings([held[0], moved], minutes(2) + timedelta(seconds=40)) == []
    assert agent.rings([held[0], moved], minutes(2) + timedelta(seconds=41)) == ["y/1"]


def removed(agent: Agent) -> None:
    """Let the agent know a secret and another, and remove the first before it expires."""
    agent.rings([secret(), secret(None, "other")], minutes(0))
    agent.rings([secret(None, "other")], minutes(1))


@pytest.mark.parametrize(
    ("manner", "rung"),
    [(Manner.JUJU_3_6, [[], []]), (Manner.JUJU_4_1, [["x/1"], ["x/1"]])],
)
def test_a_removed_secret_rings_on_in_4_1(agent: Agent, rung: list[list[str]]) -> None:
    removed(agent)

    assert [agent.rings([], minutes(at)) for at in (2, 7)] == rung


@pytest.mark.parametrize(
    ("manner", "rung"), [(Manner.JUJU_3_6, []), (Manner.JUJU_4_1, ["x/1", "y/1"])]
)
def test_in_3_6_a_new_secret_with_the_time_of_the_last_one_never_rings(
    agent: Agent, rung: list[str]
) -> None:
    removed(agent)

    assert agent.rings([secret(name="y")], minutes(1.5)) == []
    assert agent.rings([secret(name="y")], minutes(2)) == rung
