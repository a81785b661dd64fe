"""Secrets: who owns them, who may read them, which revision each reader follows. Pure.

A secret belongs to a unit, or to an application whose leader manages it and whose units read it.
A reader stays at the revision that it read first, until it asks for a refresh.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from testbed.juju.durations import seconds
from testbed.juju.errors import ToolError
from testbed.juju.state import names

_KEY = re.compile(r"[a-z](?:-?[a-z0-9]){2,}\Z")
_ALPHABET = "0123456789abcdefghijklmnopqrstuv"


@dataclass(frozen=True)
class Revision:
    """One revision of a secret's content."""

    content: Mapping[str, str]
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
    label: str = ""
    description: str = ""
    revisions: Mapping[int, Revision] = field(default_factory=dict)
    latest: int = 0
    consumers: Mapping[str, Consumer] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return f"secret:{self.id}"

    def owned_by(self, unit: str) -> bool:
        """Return whether `unit` or its application is the owner."""
        return self.owner in (unit, names.application_of(unit))

    def managed_by(self, unit: str, *, leader: bool) -> bool:
        """Return whether `unit` may change it: it owns it, or leads the application that does."""
        return self.owner == unit or (leader and self.owner == names.application_of(unit))


@dataclass(frozen=True)
class Settings:
    """The settings of secret-add and secret-set; None leaves a setting unchanged."""

    content: Mapping[str, str] | None = None
    label: str | None = None
    description: str | None = None
    expire: datetime | None = None


def new_id() -> str:
    """Return 20 random characters of the alphabet of Juju's ids."""
    number = uuid.uuid4().int >> 28
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(20))


def identifier(text: str) -> str:
    """Return the id in `secret:ID`, `secret://MODEL/ID` or a bare id."""
    return text.rpartition("/")[2].removeprefix("secret:")


def parse_content(words: Iterable[str], read: Callable[[str], str]) -> dict[str, str] | None:
    """Return the content of `key=value` and `key#file=path` words; None without any.

    Raise ToolError for a word, a key or a size that Juju refuses.
    """
    content: dict[str, str] = {}
    for word in words:
        name, assigned, value = word.partition("=")
        if not assigned:
            raise ToolError(f'ERROR key value "{word}" not valid', 2)
        key = name.removesuffix("#file")
        if not _KEY.match(key):
            raise ToolError(f'ERROR key "{key}" not valid', 2)
        content[key] = value if key == name else read(value)
    if sum(len(value.encode()) for value in content.values()) > 1024 * 1024:
        raise ToolError("ERROR secret content too large")
    return content or None


def parse_expire(text: str, now: datetime) -> datetime:
    """Return the moment of `--expire`: a duration (`1h30m`) or an RFC 3339 time.

    Raise ToolError if it is neither.
    """
    try:
        return now + timedelta(seconds=seconds(text))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise ToolError(f'ERROR expire time or duration "{text}" not valid') from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def changed(secret: Secret, settings: Settings) -> Secret:
    """Return the secret after secret-add or secret-set."""
    if settings.label is not None:
        secret = replace(secret, label=settings.label)
    if settings.description is not None:
        secret = replace(secret, description=settings.description)
    if settings.content is not None:
        return _with_content(secret, settings)
    if settings.expire is not None and secret.latest:
        latest = replace(secret.revisions[secret.latest], expire=settings.expire)
        return replace(secret, revisions={**secret.revisions, secret.latest: latest})
    return secret


def _with_content(secret: Secret, settings: Settings) -> Secret:
    assert settings.content is not None
    current = secret.revisions.get(secret.latest)
    if current is not None and current.content == settings.content:
        expire = settings.expire or current.expire
        kept = {**secret.revisions, secret.latest: replace(current, expire=expire)}
        return replace(secret, revisions=kept)
    number = secret.latest + 1
    revision = Revision(dict(settings.content), settings.expire)
    return replace(secret, latest=number, revisions={**secret.revisions, number: revision})


def without_revision(secret: Secret, revision: int | None) -> Secret | None:
    """Return the secret without one revision, or None if no revision is left."""
    if revision is None:
        return None
    left = {number: r for number, r in secret.revisions.items() if number != revision}
    return replace(secret, revisions=left) if left else None
