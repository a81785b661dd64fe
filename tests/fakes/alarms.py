"""Times to come, and when the alarms of a unit ring."""

from __future__ import annotations

import datetime

from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster

import times


def after(api: FakeCluster, seconds: float) -> str:
    """A time so many seconds from now."""
    moment = datetime.datetime.fromtimestamp(api.clock.now + seconds, datetime.timezone.utc)
    return times.shown(moment)


def rings(model: Model, api: FakeCluster, unit: int = 0) -> list[float]:
    """In how many seconds the unit's alarms ring."""
    return [
        secret.expire.timestamp() - api.clock.now
        for secret in model.units[unit].alarms
        if secret.expire
    ]
