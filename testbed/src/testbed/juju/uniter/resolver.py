"""What a unit's agent does next: a pure function over what it has done and what it sees.

The order is that of Juju's uniter: install, relation-created of the relations that exist,
leader-elected, config-changed, start; then upgrades, configuration, secrets, relations, and
update-status when nothing else is due. Changes that pile up while a hook runs become one hook.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

UNPACK = "unpack"  # a forced upgrade of a unit in error: new files, then the failed hook again


@dataclass(frozen=True)
class Hook:
    """One hook to run. `version` is what of the other side's data the hook will have seen."""

    kind: str
    relation_id: int = -1
    endpoint: str = ""
    remote_application: str = ""
    remote_unit: str = ""
    departing_unit: str = ""
    version: int = 0
    secret: str = ""
    secret_label: str = ""
    secret_revision: int = 0
    secret_times: int = 0

    @property
    def name(self) -> str:
        return f"{self.endpoint}-{self.kind}" if self.kind.startswith("relation-") else self.kind


@dataclass(frozen=True)
class LocalRelation:
    """What an agent has told its charm about one relation."""

    endpoint: str
    remote_application: str
    created: bool = False
    members: Mapping[str, int] = field(default_factory=dict)
    applications: Mapping[str, int] = field(default_factory=dict)
    changed_pending: str = ""


@dataclass(frozen=True)
class Local:
    """What an agent has done so far."""

    installed: bool = False
    started: bool = False
    stopped: bool = False
    removed: bool = False
    charm_version: int = 0
    config_version: str = ""
    leader: bool = False
    leader_settings_version: int = -1
    update_status_version: int = 0
    queued: str = ""
    failed: Hook | None = None
    relations: Mapping[int, LocalRelation] = field(default_factory=dict)
    secrets_changed: Mapping[str, int] = field(default_factory=dict)
    secrets_done: frozenset[tuple[str, str, int, int]] = frozenset()


@dataclass(frozen=True)
class RemoteRelation:
    """One relation as the unit may see it now. Members: unit → version of its data."""

    endpoint: str
    remote_application: str
    alive: bool
    peer: bool = False
    members: Mapping[str, int] = field(default_factory=dict)
    applications: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SecretEvent:
    """Something a unit is to be told about a secret: `kind` is the hook's name.

    What is told again after a time differs in `times`.
    """

    kind: str
    secret: str
    label: str
    revision: int = 0
    times: int = 0


@dataclass(frozen=True)
class Remote:
    """What an agent sees of the model. Implicit relations run no hooks and are not in it."""

    alive: bool = True
    unit: str = ""
    application_alive: bool = True
    charm_version: int = 1
    config_version: str = ""
    leader: bool = False
    leader_settings_version: int = 0
    update_status_version: int = 0
    resolved: str = ""
    retry_due: bool = False
    force_upgrade: bool = False
    relations: Mapping[int, RemoteRelation] = field(default_factory=dict)
    secrets: tuple[SecretEvent, ...] = ()


def next_hook(local: Local, remote: Remote) -> Hook | None:
    """The hook that the agent runs now, or None when it has nothing to do."""
    if local.failed is not None:
        return _after_failure(local, local.failed, remote)
    if not local.installed:
        return Hook("install") if remote.alive else None
    if not remote.alive:
        return _teardown(local, remote)
    return next(_alive_hooks(local, remote), None)


def _after_failure(local: Local, failed: Hook, remote: Remote) -> Hook | None:
    if remote.force_upgrade and local.charm_version != remote.charm_version:
        return Hook(UNPACK, version=remote.charm_version)
    if remote.resolved == "retry" or remote.retry_due:
        return failed
    return None


def _alive_hooks(local: Local, remote: Remote) -> Iterator[Hook]:
    if local.queued:
        yield Hook(local.queued)
    yield from _created_hooks(local, remote)
    yield from _leader_hooks(local, remote)
    if local.charm_version != remote.charm_version:
        yield Hook("upgrade-charm", version=remote.charm_version)
    if local.config_version != remote.config_version or not local.started:
        yield Hook("config-changed")
    yield from _secret_hooks(local, remote)
    for number, relation in sorted(remote.relations.items()):
        yield from _relation_hooks(number, local, relation, remote)
    if local.update_status_version != remote.update_status_version:
        yield Hook("update-status")


def _teardown(local: Local, remote: Remote) -> Hook | None:
    for number, known in sorted(local.relations.items()):
        seen = remote.relations.get(number)
        peer = seen is not None and seen.peer
        hook = next(_ending_hooks(number, known, {}, remote, peer=peer), None)
        if hook:
            return hook
    if local.started and not local.stopped:
        return Hook("stop")
    return Hook("remove") if not local.removed else None


def _created_hooks(local: Local, remote: Remote) -> Iterator[Hook]:
    for number, relation in sorted(remote.relations.items()):
        known = local.relations.get(number)
        if relation.alive and (known is None or not known.created):
            yield Hook("relation-created", number, relation.endpoint, relation.remote_application)


def _leader_hooks(local: Local, remote: Remote) -> Iterator[Hook]:
    if remote.leader and not local.leader:
        yield Hook("leader-elected")
    settings = local.leader_settings_version != remote.leader_settings_version
    if not remote.leader and (settings or local.leader):
        yield Hook("leader-settings-changed", version=remote.leader_settings_version)


def _secret_hooks(local: Local, remote: Remote) -> Iterator[Hook]:
    for event in remote.secrets:
        if event.kind == "secret-changed":
            if local.secrets_changed.get(event.secret, 0) >= event.revision:
                continue
        elif (event.kind, event.secret, event.revision, event.times) in local.secrets_done:
            continue
        yield Hook(
            event.kind,
            secret=event.secret,
            secret_label=event.label,
            secret_revision=event.revision,
            secret_times=event.times,
        )


def _relation_hooks(
    number: int, local: Local, relation: RemoteRelation, remote: Remote
) -> Iterator[Hook]:
    known = local.relations.get(number)
    if known is None:
        return
    if not relation.alive:
        yield from _ending_hooks(number, known, {}, remote)
        return
    yield from _ending_hooks(number, known, relation.members, remote, broken=False)
    for name, version in sorted(relation.applications.items()):
        own = relation.peer and remote.leader  # a leader is not told of what it wrote itself
        if not own and known.applications.get(name, 0) != version:
            yield _hook("relation-changed", number, known, "", version)
    for name, version in sorted(relation.members.items()):
        if name not in known.members:
            yield _hook("relation-joined", number, known, name, version)
    for name, version in sorted(relation.members.items()):
        if known.members.get(name, version) != version:
            yield _hook("relation-changed", number, known, name, version)


def _ending_hooks(
    number: int,
    known: LocalRelation,
    members: Mapping[str, int],
    remote: Remote,
    *,
    broken: bool = True,
    peer: bool = False,
) -> Iterator[Hook]:
    """What a joined unit is owed; relation-departed for whoever is gone; then relation-broken."""
    if known.changed_pending:
        version = members.get(known.changed_pending, 0)
        yield _hook("relation-changed", number, known, known.changed_pending, version)
    leaving = not (remote.alive and remote.application_alive)
    for name in sorted(known.members):
        if name not in members:
            departed = _hook("relation-departed", number, known, name, 0)
            yield replace(departed, departing_unit=remote.unit if leaving else name)
    if broken and not peer:
        yield _hook("relation-broken", number, known, "", 0)


def _hook(kind: str, number: int, known: LocalRelation, unit: str, version: int) -> Hook:
    return Hook(kind, number, known.endpoint, known.remote_application, unit, version=version)


def committed(local: Local, hook: Hook, remote: Remote) -> Local:
    """The agent's state after `hook` ended well; `remote` is what it saw when the hook began."""
    if hook.kind == UNPACK:
        return replace(local, charm_version=hook.version)
    local = replace(local, failed=None, queued="")
    if hook.kind.startswith("relation-"):
        return replace(local, relations=_relations_after(local.relations, hook, remote))
    if hook.kind.startswith("secret-"):
        return _after_secret(local, hook)
    return replace(local, **_changes(local, hook, remote))


def _changes(local: Local, hook: Hook, remote: Remote) -> dict[str, Any]:
    if hook.kind == "install":
        return {"installed": True, "charm_version": remote.charm_version}
    if hook.kind == "upgrade-charm":
        return {"charm_version": hook.version, "queued": "config-changed"}
    if hook.kind == "config-changed":
        queued = "" if local.started else "start"
        return {"config_version": remote.config_version, "queued": queued}
    if hook.kind == "leader-elected":
        return {"leader": True, "leader_settings_version": remote.leader_settings_version}
    if hook.kind == "leader-settings-changed":
        relations = _own_data_seen(local, remote) if local.leader else local.relations
        return {
            "leader": False,
            "leader_settings_version": hook.version,
            "relations": relations,
        }
    if hook.kind == "update-status":
        return {"update_status_version": remote.update_status_version}
    return {_DONE[hook.kind]: True}


def _own_data_seen(local: Local, remote: Remote) -> dict[int, LocalRelation]:
    """A unit that was leader knows what it wrote as leader."""
    return {
        number: replace(known, applications=remote.relations[number].applications)
        if number in remote.relations and remote.relations[number].peer
        else known
        for number, known in local.relations.items()
    }


_DONE = {"start": "started", "stop": "stopped", "remove": "removed"}


def _after_secret(local: Local, hook: Hook) -> Local:
    if hook.kind == "secret-changed":
        seen = {**local.secrets_changed, hook.secret: hook.secret_revision}
        return replace(local, secrets_changed=seen)
    done = (hook.kind, hook.secret, hook.secret_revision, hook.secret_times)
    return replace(local, secrets_done=local.secrets_done | {done})


def _relations_after(
    relations: Mapping[int, LocalRelation], hook: Hook, remote: Remote
) -> dict[int, LocalRelation]:
    after = dict(relations)
    if hook.kind == "relation-broken":
        after.pop(hook.relation_id, None)
        return after
    known = after.get(hook.relation_id) or LocalRelation(hook.endpoint, hook.remote_application)
    after[hook.relation_id] = _relation_after(known, hook)
    return after


def _relation_after(known: LocalRelation, hook: Hook) -> LocalRelation:
    if hook.kind == "relation-created":
        return replace(known, created=True)
    if hook.kind == "relation-departed":
        left = {name: v for name, v in known.members.items() if name != hook.remote_unit}
        return replace(known, members=left, changed_pending="")
    if not hook.remote_unit:
        seen = {**known.applications, hook.remote_application: hook.version}
        return replace(known, applications=seen)
    members = {**known.members, hook.remote_unit: hook.version}
    pending = hook.remote_unit if hook.kind == "relation-joined" else ""
    return replace(known, members=members, changed_pending=pending)
