"""A certificate that does not come."""

from __future__ import annotations

import datetime as dt

import ops
import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Easyrsa, Model, Silent
from tests.fakes.kubernetes.server import FakeCluster

WAIT = "waiting for a certificate from vault"


class Clock:
    """What the charm takes for the time."""

    def __init__(self) -> None:
        self._now = dt.datetime.now(dt.timezone.utc)

    def now(self) -> dt.datetime:
        return self._now

    def pass_minutes(self, minutes: float) -> None:
        self._now += dt.timedelta(minutes=minutes)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("certificates.relation._now", clock.now)
    return clock


@pytest.fixture
def waiting(model: Model, api: FakeCluster, clock: Clock) -> Model:
    """A unit that waits for a provider that does not answer."""
    model.provider = Silent()
    assert model.hook() == ops.WaitingStatus(WAIT)
    return model


def test_given_ten_minutes_without_an_answer_then_the_status_says_what_to_look_at(
    waiting: Model, clock: Clock
):
    clock.pass_minutes(9)
    assert waiting.hook() == ops.WaitingStatus(WAIT)

    clock.pass_minutes(2)
    assert waiting.hook() == ops.WaitingStatus(
        "no answer from vault for 10 minutes; run: juju status vault"
    )


def test_given_a_provider_whose_protocol_shows_then_the_status_names_no_other_versions(
    waiting: Model, clock: Clock
):
    waiting.provider = Easyrsa(
        root(), name="vault", overrides={"aws-iam_0.processed_requests": ""}
    )
    waiting.answer()
    clock.pass_minutes(11)

    assert waiting.hook() == ops.WaitingStatus(f"{WAIT}, 10 minutes; run: juju status vault")


def test_given_an_answer_when_another_is_awaited_then_the_ten_minutes_begin_anew(
    waiting: Model, clock: Clock
):
    clock.pass_minutes(11)
    waiting.move(Easyrsa(root(), name="vault"))
    waiting.settle()
    assert waiting.hook().name == "active"

    waiting.move(Silent())
    assert waiting.hook() == ops.WaitingStatus(WAIT)


def test_given_a_unit_that_follows_for_a_while_then_the_ten_minutes_begin_anew(
    waiting: Model, clock: Clock
):
    clock.pass_minutes(11)
    waiting.leader = None
    waiting.hook()
    waiting.leader = 0

    assert waiting.hook() == ops.WaitingStatus(WAIT)
