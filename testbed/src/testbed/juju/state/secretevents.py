"""The hooks that secrets lead to, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from testbed.juju.state.secrets import Secret


@dataclass(frozen=True)
class SecretEvent:
    """One hook about a secret: `kind` is the hook's name.

    An event that recurs has a higher `times`.
    """

    kind: str
    secret: str
    label: str
    revision: int = 0
    times: int = 0


def events_for(
    unit: str, *, leader: bool, secrets: Iterable[Secret], now: datetime
) -> list[SecretEvent]:
    """Return the events of `unit`: rotations of what it manages, revisions to read or to drop.

    What expires is in uniter/secretexpire.py.
    """
    everything = list(secrets)
    own = [secret for secret in everything if secret.managed_by(unit, leader=leader)]
    return [
        *(_event("secret-rotate", s, times=s.rotations) for s in own if _rotates(s, now)),
        *(event for secret in everything for event in _changed_for(unit, secret, leader=leader)),
        *(event for secret in own for event in _obsolete(secret)),
    ]


def _event(kind: str, secret: Secret, revision: int = 0, times: int = 0) -> SecretEvent:
    return SecretEvent(kind, secret.uri, secret.label, revision, times)


def _rotates(secret: Secret, now: datetime) -> bool:
    return secret.next_rotate is not None and secret.next_rotate <= now


def _changed_for(unit: str, secret: Secret, *, leader: bool) -> Iterator[SecretEvent]:
    consumer = secret.consumers.get(unit)
    if consumer is None or secret.managed_by(unit, leader=leader):
        return
    if secret.latest > consumer.revision:
        label = consumer.label or (secret.label if secret.owned_by(unit) else "")
        yield SecretEvent("secret-changed", secret.uri, label, secret.latest)


def _obsolete(secret: Secret) -> Iterator[SecretEvent]:
    followed = {consumer.revision for consumer in secret.consumers.values()}
    for number in sorted(secret.revisions):
        if number < secret.latest and number not in followed:
            yield _event("secret-remove", secret, number)


def next_rotation(secrets: Iterable[Secret], now: datetime) -> datetime | None:
    """Return the next moment at which a secret must be rotated."""
    dates = [secret.next_rotate for secret in secrets if secret.next_rotate]
    return min((date for date in dates if date > now), default=None)
