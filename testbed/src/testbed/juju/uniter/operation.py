"""How a hook that succeeded changes the local state of its unit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from testbed.juju.state.unitstate import Hook, LocalRelation, LocalState
from testbed.juju.uniter.remotestate import Snapshot

_DONE = {"start": "started", "stop": "stopped", "remove": "removed"}


def committed(local: LocalState, hook: Hook, remote: Snapshot) -> LocalState:
    """Return the local state after `hook` succeeded. `remote` is what it saw when it began."""
    after = replace(local, failed=None, queued="")
    if hook.kind.startswith("relation-"):
        return replace(after, relations=_relations_after(local.relations, hook))
    if hook.kind.startswith("secret-"):
        return _after_secret(after, hook)
    return replace(after, **_changes(local, hook, remote))


def _changes(local: LocalState, hook: Hook, remote: Snapshot) -> dict[str, Any]:
    if hook.kind == "install":
        return {"installed": True, "charm_version": remote.charm_version}
    if hook.kind == "upgrade-charm":
        return {"charm_version": hook.version, "queued": "config-changed"}
    if hook.kind == "config-changed":
        return {"config_version": remote.config_version, "queued": _after_config(local, remote)}
    if hook.kind == "leader-elected":
        return {"leader": True, "leader_settings_version": remote.leader_settings_version}
    if hook.kind == "leader-settings-changed":
        return {"leader": False, "leader_settings_version": hook.version}
    if hook.kind == "update-status":
        return {"update_status_version": remote.update_status_version}
    return {_DONE[hook.kind]: True}


def _after_config(local: LocalState, remote: Snapshot) -> str:
    """Return the hook that follows config-changed at once.

    In Juju 4.1 two watchers report a change of options, and each leads to a hook.
    """
    if not local.started:
        return "start"
    new = local.config_version != remote.config_version and not local.queued
    return "config-changed" if new and remote.config_twice else ""


def _after_secret(local: LocalState, hook: Hook) -> LocalState:
    if hook.kind == "secret-changed":
        seen = {**local.secrets_changed, hook.secret: hook.secret_revision}
        return replace(local, secrets_changed=seen)
    if hook.kind == "secret-expired":  # secretexpire.py knows when it is due again
        return local
    done = (hook.kind, hook.secret, hook.secret_revision)
    return replace(local, secrets_done=local.secrets_done | {done})


def _relations_after(
    relations: Mapping[int, LocalRelation], hook: Hook
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
