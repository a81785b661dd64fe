"""The changes of secrets in one hook, merged for each secret until the hook ends.

The rules are those of Juju 3.6's uniter (`secretsChangeRecorder` and `HookContext.UpdateSecret` in
its package worker/uniter/runner/context), its oddities included:

- secret-add and every secret-set of a hook make one revision. Of each setting the last one counts.
- Content that equals the stored revision's is ignored. So a hook that sets new content, and then
  the old content again, leaves the new one.
- secret-remove, even of one revision, drops what the hook has set so far. Until the
  hook ends, its lists lack the secret. A later secret-set takes the removal back.
- The end of the hook applies creations and updates, then removals. Only then the controller finds
  out what it must refuse, such as an update of a secret that is not there. Then the hook fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from testbed.juju.state.secrets import Consumer, Secret, Settings, changed, without_revision

_ALL: frozenset[int] = frozenset()  # of a secret's revisions


@dataclass
class SecretChanges:
    """The pending changes of one hook."""

    created: dict[str, Secret] = field(default_factory=dict)  # their content is in `settings`
    settings: dict[str, Settings] = field(default_factory=dict)
    _followed: set[str] = field(default_factory=set)
    _removed: dict[str, frozenset[int]] = field(default_factory=dict)

    def create(self, secret: Secret, settings: Settings) -> None:
        self.created[secret.id] = secret
        self.settings[secret.id] = settings

    def update(self, secret_id: str, settings: Settings, stored: Secret | None) -> None:
        """Merge new settings into those that the hook has given before."""
        if stored is not None and settings.content == _latest_content(stored):
            settings = replace(settings, content=None)
        if settings == Settings():
            return
        self._removed.pop(secret_id, None)
        before = self.settings.get(secret_id, Settings())
        self.settings[secret_id] = replace(before, **_given(settings))

    def remove(self, secret_id: str, revision: int | None) -> None:
        self.created.pop(secret_id, None)
        self.settings.pop(secret_id, None)
        self._followed.discard(secret_id)
        before = self._removed.get(secret_id)
        if revision is None or before == _ALL:
            self._removed[secret_id] = _ALL
        else:
            self._removed[secret_id] = (before or frozenset()) | {revision}

    def follow(self, secret_id: str) -> None:
        """Let the unit read the revision that this hook creates."""
        self._followed.add(secret_id)

    def content(self, secret_id: str, *, newest: bool) -> Mapping[str, str] | None:
        """Return pending content: that of a new secret, and for `newest` that of an update."""
        settings = self.settings.get(secret_id)
        if settings is None or not (newest or secret_id in self.created):
            return None
        return settings.content

    def changed_ids(self) -> list[tuple[str, str]]:
        """Return what the hook has done to which secrets, in the order of `commit`."""
        created = [("creating", secret_id) for secret_id in self.created]
        updated = [
            ("updating", secret_id) for secret_id in self.settings if secret_id not in self.created
        ]
        return [*created, *updated, *(("removing", secret_id) for secret_id in self._removed)]

    def metadata(self, secret_id: str, stored: Secret | None) -> Secret | None:
        """Return a secret with its pending metadata; an update adds no revision yet."""
        if secret_id in self._removed:
            return None
        settings = self.settings.get(secret_id)
        secret = self.created.get(secret_id, stored)
        if secret is None or settings is None:
            return secret
        if secret_id not in self.created:
            settings = replace(settings, content=None)
        return changed(secret, settings)

    def commit(self, secrets: dict[str, Secret], unit: str) -> None:
        """Put all changes into the model's secrets."""
        for secret_id, settings in self.settings.items():
            secret = self.created.get(secret_id) or secrets.get(secret_id)
            if secret is not None:
                secrets[secret_id] = changed(secret, settings)
        for secret in _among(secrets, self._followed):
            consumer = replace(secret.consumers.get(unit, Consumer()), revision=secret.latest)
            consumers = {**secret.consumers, unit: consumer}
            secrets[secret.id] = replace(secret, consumers=consumers)
        for secret in _among(secrets, self._removed):
            left = _without(secret, self._removed[secret.id])
            if left is None:
                del secrets[secret.id]
            else:
                secrets[secret.id] = left


def _given(settings: Settings) -> dict[str, object]:
    values = {f.name: getattr(settings, f.name) for f in fields(settings)}
    return {name: value for name, value in values.items() if value is not None}


def _latest_content(secret: Secret) -> Mapping[str, str] | None:
    revision = secret.revisions.get(secret.latest)
    return revision.content if revision else None


def _without(secret: Secret, revisions: frozenset[int]) -> Secret | None:
    left: Secret | None = None if revisions == _ALL else secret
    for revision in revisions:
        left = without_revision(left, revision) if left else None
    return left


def _among(
    secrets: Mapping[str, Secret], ids: set[str] | Mapping[str, object]
) -> Iterator[Secret]:
    yield from [secrets[secret_id] for secret_id in ids if secret_id in secrets]
