"""The hooks that secrets lead to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from testbed.juju.state.secrets import Secret


@dataclass(frozen=True)
class SecretEvent:
    """One hook about a secret: `kind` is the hook's name."""

    kind: str
    secret: str
    label: str
    revision: int = 0


def events_for(unit: str, *, leader: bool, secrets: Iterable[Secret]) -> list[SecretEvent]:
    """Return the events of `unit`: revisions to read or to drop.

    What expires is in uniter/secretexpire.py.
    """
    everything = list(secrets)
    own = [secret for secret in everything if secret.managed_by(unit, leader=leader)]
    return [
        *(event for secret in everything for event in _changed_for(unit, secret, leader=leader)),
        *(event for secret in own for event in _obsolete(secret)),
    ]


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
            yield SecretEvent("secret-remove", secret.uri, secret.label, number)
