"""Secrets: who owns them, who may read them, which revision each reader follows. Pure state.

A secret belongs to a unit or to an application (then its leader manages it). Others read it once
it is granted to them over a relation; a reader keeps the revision that it first saw until it
asks for a refresh.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from testbed.juju.durations import seconds
from testbed.juju.errors import ToolError
from testbed.juju.state import names
from testbed.juju.state.secretevents import SecretEvent

_KEY = re.compile(r"[a-z](?:-?[a-z0-9]){2,}\Z")
_ROTATION = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "quarterly": timedelta(days=91),
    "yearly": timedelta(days=365),
}
_ALPHABET = "0123456789abcdefghijklmnopqrstuv"


EXPIRED_AGAIN = timedelta(minutes=5)
"""A revision that has expired is told of this often, as by Juju, until it is removed."""


@dataclass(frozen=True)
class Revision:
    """One revision of a secret's content."""

    content: Mapping[str, str]
    created: datetime
    expire: datetime | None = None


@dataclass(frozen=True)
class Consumer:
    """What one unit reads: under which label, and which revision."""

    label: str = ""
    revision: int = 0


@dataclass(frozen=True)
class Secret:
    """A secret with all its revisions."""

    id: str
    owner: str  # "APP" or "APP/N"
    created: datetime
    updated: datetime
    label: str = ""
    description: str = ""
    rotate: str = "never"
    next_rotate: datetime | None = None
    rotations: int = 0
    revisions: Mapping[int, Revision] = field(default_factory=dict)
    latest: int = 0
    consumers: Mapping[str, Consumer] = field(default_factory=dict)
    grants: Mapping[str, int] = field(default_factory=dict)  # unit or application → relation id

    @property
    def uri(self) -> str:
        return f"secret:{self.id}"

    def owned_by(self, unit: str) -> bool:
        """Whether `unit` or its application is the owner."""
        return self.owner in (unit, names.application_of(unit))

    def managed_by(self, unit: str, *, leader: bool) -> bool:
        """Whether `unit` may change it: its own, or its application's if it leads."""
        return self.owner == unit or (leader and self.owner == names.application_of(unit))

    def readable_by(self, unit: str) -> bool:
        granted = {unit, names.application_of(unit)} & set(self.grants)
        return self.owned_by(unit) or bool(granted)


@dataclass(frozen=True)
class Settings:
    """What secret-add and secret-set may give; None leaves a thing as it is."""

    content: Mapping[str, str] | None = None
    label: str | None = None
    description: str | None = None
    expire: datetime | None = None
    rotate: str | None = None


def new_id() -> str:
    """20 characters of the alphabet that Juju's ids use."""
    number = uuid.uuid4().int >> 28
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(20))


def identifier(text: str) -> str:
    """The id in `secret:ID`, `secret://MODEL/ID` or a bare id."""
    return text.rpartition("/")[2].removeprefix("secret:")


def check_content(content: Mapping[str, str]) -> None:
    """Raise ToolError for a key or a size that Juju refuses."""
    for key in content:
        if not _KEY.match(key):
            raise ToolError(f'ERROR key "{key}" not valid')
    if sum(len(value.encode()) for value in content.values()) > 1024 * 1024:
        raise ToolError("ERROR secret content too large")


def check_rotation(policy: str) -> None:
    """Raise ToolError for a rotate policy that Juju refuses."""
    if policy not in ("never", *_ROTATION):
        raise ToolError(f'ERROR rotate policy "{policy}" not valid')


def parse_expire(text: str, now: datetime) -> datetime:
    """`--expire`: a duration from now (`1h30m`) or an RFC 3339 time. Raises ToolError."""
    try:
        return now + timedelta(seconds=seconds(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(re.sub(r"Z$", "+00:00", _microseconds(text)))
    except ValueError as error:
        raise ToolError(f'ERROR expire time or duration "{text}" not valid') from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _microseconds(text: str) -> str:
    """RFC 3339 allows nanoseconds, and Python before 3.11 wants 3 or 6 digits."""
    return re.sub(r"\.(\d+)", lambda match: "." + match[1][:6].ljust(6, "0"), text)


def changed(secret: Secret, settings: Settings, now: datetime) -> Secret:
    """The secret after secret-add or secret-set. Raises ToolError for a bad rotate policy."""
    if settings.rotate is not None:
        check_rotation(settings.rotate)
        interval = _ROTATION.get(settings.rotate)
        due = now + interval if interval else None
        secret = replace(secret, rotate=settings.rotate, next_rotate=due)
    if settings.label is not None:
        secret = replace(secret, label=settings.label)
    if settings.description is not None:
        secret = replace(secret, description=settings.description)
    if settings.content is not None:
        secret = _with_content(secret, settings, now)
    elif settings.expire is not None and secret.latest:
        latest = replace(secret.revisions[secret.latest], expire=settings.expire)
        secret = replace(secret, revisions={**secret.revisions, secret.latest: latest})
    return replace(secret, updated=now)


def _with_content(secret: Secret, settings: Settings, now: datetime) -> Secret:
    assert settings.content is not None
    current = secret.revisions.get(secret.latest)
    if current is not None and current.content == settings.content:
        expire = settings.expire or current.expire
        kept = {**secret.revisions, secret.latest: replace(current, expire=expire)}
        return replace(secret, revisions=kept)
    number = secret.latest + 1
    revision = Revision(dict(settings.content), now, settings.expire)
    return replace(secret, latest=number, revisions={**secret.revisions, number: revision})


def without_revision(secret: Secret, revision: int | None) -> Secret | None:
    """The secret without one revision; None when nothing of it is left."""
    if revision is None:
        return None
    left = {number: r for number, r in secret.revisions.items() if number != revision}
    return replace(secret, revisions=left) if left else None


def rotated(secret: Secret, now: datetime) -> Secret:
    """The secret after its owner was told to rotate it: the next time is an interval away."""
    return replace(secret, next_rotate=now + _ROTATION[secret.rotate])


def events_for(
    unit: str, *, leader: bool, secrets: Iterable[Secret], now: datetime
) -> list[SecretEvent]:
    """What `unit` is to be told: its own secrets' dates, new revisions of what it reads."""
    everything = list(secrets)
    own = [secret for secret in everything if secret.managed_by(unit, leader=leader)]
    return [
        *(event for secret in own for event in _expired(secret, now)),
        *(_event("secret-rotate", s, times=s.rotations) for s in own if _rotates(s, now)),
        *(event for secret in everything for event in _changed_for(unit, secret, leader=leader)),
        *(event for secret in own for event in _obsolete(secret)),
    ]


def _event(kind: str, secret: Secret, revision: int = 0, times: int = 0) -> SecretEvent:
    return SecretEvent(kind, secret.uri, secret.label, revision, times)


def _expired(secret: Secret, now: datetime) -> Iterator[SecretEvent]:
    for number, revision in sorted(secret.revisions.items()):
        if revision.expire and revision.expire <= now:
            times = (now - revision.expire) // EXPIRED_AGAIN
            yield _event("secret-expired", secret, number, times)


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


def next_date(secrets: Iterable[Secret], now: datetime) -> datetime | None:
    """The next moment at which a secret expires, also again, or is to be rotated."""
    dates = [date for secret in secrets for date in _dates(secret, now)]
    return min((date for date in dates if date > now), default=None)


def _dates(secret: Secret, now: datetime) -> Iterator[datetime]:
    if secret.next_rotate:
        yield secret.next_rotate
    for revision in secret.revisions.values():
        if revision.expire:
            passed = max((now - revision.expire) // EXPIRED_AGAIN + 1, 0)
            yield revision.expire + passed * EXPIRED_AGAIN
