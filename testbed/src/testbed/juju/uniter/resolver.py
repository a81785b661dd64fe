"""Which hook a uniter runs next: from what it has done and what it sees. Pure.

The order is that of Juju's uniter. A new unit runs install, relation-created for the relations
that exist, leader-elected, config-changed and start. After that come upgrades, configuration,
secrets and relations, and update-status when nothing else is due. Several changes of one kind
that happen while a hook runs lead to one hook.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from testbed.juju.state.secretevents import SecretEvent
from testbed.juju.state.unitstate import Hook, LocalRelation, LocalState
from testbed.juju.uniter.remotestate import RelationSnapshot, Snapshot


def next_hook(local: LocalState, remote: Snapshot) -> Hook | None:
    """Return the hook to run now, or None if there is nothing to do."""
    if local.failed is not None:
        return local.failed if remote.retry_due else None
    if not local.installed:
        return Hook("install") if remote.alive else None
    if not remote.alive:
        return _teardown(local, remote)
    return next(_alive_hooks(local, remote), None)


def _alive_hooks(local: LocalState, remote: Snapshot) -> Iterator[Hook]:
    if local.queued:
        yield Hook(local.queued)
    yield from _created_hooks(local, remote)
    yield from _leader_hooks(local, remote)
    if local.charm_version != remote.charm_version:
        yield Hook("upgrade-charm", version=remote.charm_version)
    if local.config_version != remote.config_version or not local.started:
        yield Hook("config-changed")
    yield from _secret_hooks(local, remote)
    for number in sorted(remote.relations, key=lambda number: _place(number, remote)):
        yield from _relation_hooks(number, local, remote.relations[number], remote)
    if local.update_status_version != remote.update_status_version:
        yield Hook("update-status")


def _teardown(local: LocalState, remote: Snapshot) -> Hook | None:
    for number in sorted(local.relations, key=lambda number: _ending_place(number, remote)):
        if remote.let_out and not _is_alive(number, remote):
            continue  # until Juju takes it out
        breaks = remote.restarts or not _is_peer(number, remote)
        hook = next(
            _ending_hooks(number, local.relations[number], {}, remote, broken=breaks), None
        )
        if hook:
            return _as_restarted(hook, remote)
    awaits = remote.let_out and not all(each.alive for each in remote.relations.values())
    if awaits or remote.dies_unstopped or remote.principal_leaving:
        return None
    if local.started and not local.stopped:
        return Hook("stop")
    return Hook("remove") if not local.removed else None


def _place(number: int, remote: Snapshot) -> tuple[bool, int]:
    """Return what sorts relations: peer relations come last."""
    return _is_peer(number, remote), number


def _ending_place(number: int, remote: Snapshot) -> tuple[bool, int]:
    """Return what sorts relations that end: the newest first, peer relations last.

    In Juju 3.6 an agent restarts in almost every removal, and then takes a peer relation for any
    other: the order is chance. Here that relation is the first then, so a charm that counts on its
    peers finds out, and so does one that counts on the order in which relations were made.
    """
    return _is_peer(number, remote) is not remote.restarts, -number


def _as_restarted(hook: Hook, remote: Snapshot) -> Hook:
    """Return a hook of a dying unit, as an agent runs it that has restarted if this one does."""
    if hook.kind == "relation-broken" and remote.restarts:
        return replace(hook, remote_application="")
    return hook


def _is_alive(number: int, remote: Snapshot) -> bool:
    relation = remote.relations.get(number)
    return relation is not None and relation.alive


def _is_peer(number: int, remote: Snapshot) -> bool:
    relation = remote.relations.get(number)
    return relation is not None and relation.peer


def _created_hooks(local: LocalState, remote: Snapshot) -> Iterator[Hook]:
    for number, relation in sorted(remote.relations.items()):
        known = local.relations.get(number)
        if relation.alive and (known is None or not known.created):
            yield Hook("relation-created", number, relation.endpoint, relation.remote_application)


def _leader_hooks(local: LocalState, remote: Snapshot) -> Iterator[Hook]:
    if remote.leader and not local.leader:
        yield Hook("leader-elected")
    settings = local.leader_settings_version != remote.leader_settings_version
    if not remote.leader and (settings or local.leader):
        yield Hook("leader-settings-changed", version=remote.leader_settings_version)


def _secret_hooks(local: LocalState, remote: Snapshot) -> Iterator[Hook]:
    for event in remote.secrets:
        if event.kind == "secret-changed":
            if local.secrets_changed.get(event.secret, 0) >= event.revision:
                continue
        elif event.kind != "secret-expired" and _done(event) in local.secrets_done:
            continue
        yield Hook(
            event.kind,
            secret=event.secret,
            secret_label=event.label,
            secret_revision=event.revision,
        )


def _done(event: SecretEvent) -> tuple[str, str, int]:
    return event.kind, event.secret, event.revision


def _relation_hooks(
    number: int, local: LocalState, relation: RelationSnapshot, remote: Snapshot
) -> Iterator[Hook]:
    known = local.relations.get(number)
    if known is None:
        return
    if not relation.alive:
        yield from _ending_hooks(number, known, {}, remote)
        return
    yield from _ending_hooks(number, known, relation.members, remote, broken=False)
    for name, version in sorted(relation.applications.items()):
        if known.applications.get(name, 0) != version:
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
    remote: Snapshot,
    *,
    broken: bool = True,
) -> Iterator[Hook]:
    """Yield the hooks that end a relation, or a unit's part in it.

    A unit that has just joined gets its relation-changed first. Each unit that is gone gets
    relation-departed. relation-broken comes last.
    """
    if known.changed_pending:
        version = members.get(known.changed_pending, 0)
        yield _hook("relation-changed", number, known, known.changed_pending, version)
    leaving = not (remote.alive and remote.application_alive)
    for name in sorted(known.members):
        if name not in members:
            departed = _hook("relation-departed", number, known, name, 0)
            yield replace(departed, departing_unit=remote.unit if leaving else name)
    if broken:
        yield _hook("relation-broken", number, known, "", 0)


def _hook(kind: str, number: int, known: LocalRelation, unit: str, version: int) -> Hook:
    return Hook(kind, number, known.endpoint, known.remote_application, unit, version=version)
