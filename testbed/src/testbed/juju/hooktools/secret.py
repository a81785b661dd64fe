"""The hook tools of secrets."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import FILE, RELATION, Call, Spec
from testbed.juju.hooktools.context import Context
from testbed.juju.state import names
from testbed.juju.state.secrets import (
    Consumer,
    Secret,
    Settings,
    check_content,
    check_rotation,
    identifier,
    new_id,
    parse_expire,
)
from testbed.juju.state.status import now

_CONTENT_FLAGS = (
    Flag("label"),
    Flag("description"),
    Flag("expire"),
    Flag("rotate"),
    Flag("owner"),
    FILE,
)


def _not_found(what: str) -> ToolError:
    return ToolError(f'ERROR secret "{what}" not found')


def _managed(context: Context, secret_id: str) -> Secret:
    """A secret that this unit may change. Raises ToolError."""
    secret = context.any_secret(secret_id)
    if secret is None:
        raise _not_found(secret_id)
    if not secret.managed_by(context.unit.name, leader=context.leader):
        raise (
            _not_found(secret_id)
            if secret.owned_by(context.unit.name)
            else ToolError("ERROR permission denied")
        )
    return secret


def _settings(call: Call) -> Settings:
    content = _content(call, call.args)
    expire = call.parsed.text("expire")
    given = call.parsed.values
    if "rotate" in given:
        check_rotation(call.parsed.text("rotate"))
    return Settings(
        content=content or None,
        label=call.parsed.text("label") if "label" in given else None,
        description=call.parsed.text("description") if "description" in given else None,
        expire=parse_expire(expire, now()) if expire else None,
        rotate=call.parsed.text("rotate") if "rotate" in given else None,
    )


def _content(call: Call, words: list[str]) -> dict[str, str]:
    content: dict[str, str] = {}
    for word in words:
        key, assigned, value = word.partition("=")
        if not assigned:
            raise ToolError(f'ERROR key value "{word}" not valid', 2)
        if key.endswith("#file"):
            content[key.removesuffix("#file")] = call.files[value].decode()
        elif key.endswith("#base64"):
            content[key.removesuffix("#base64")] = base64.b64decode(value).decode()
        else:
            content[key] = value
    check_content(content)
    return content


def _owner(call: Call) -> str:
    context = call.context
    if call.parsed.text("owner", "application") == "unit":
        return context.unit.name
    context.require_leader()
    return context.application.name


def secret_add(call: Call) -> str:
    context, settings = call.context, _settings(call)
    if settings.content is None:
        raise ToolError("ERROR missing secret value or filename", 2)
    owner, moment = _owner(call), now()
    if settings.label and _labelled(context, settings.label, owner):
        raise ToolError(f'ERROR secret with label "{settings.label}" already exists')
    secret = Secret(new_id(), owner, moment, moment)
    context.secret_changes.create(secret, settings)
    return secret.uri


def _labelled(context: Context, label: str, owner: str) -> Secret | None:
    found = (s for s in context.secrets() if s.owner == owner and s.label == label)
    return next(found, None)


def secret_set(call: Call) -> None:
    context = call.context
    secret = _managed(context, identifier(call.argument(0)))
    settings = _settings(replace(call, parsed=_without_first(call)))
    new = settings.label if settings.label != secret.label else ""
    if new and _labelled(context, new, secret.owner):
        raise ToolError(f'ERROR secret with label "{new}" already exists')
    stored = context.model.secrets.get(secret.id)
    context.secret_changes.update(secret.id, settings, stored)


def _without_first(call: Call) -> Any:
    return replace(call.parsed, args=call.args[1:])


def secret_get(call: Call) -> Any:
    context, label = call.context, call.parsed.text("label")
    peek, refresh = call.parsed.on("peek"), call.parsed.on("refresh")
    words = call.args
    if words and (words[0].startswith("secret:") or len(words[0]) == 20):
        secret = context.any_secret(identifier(words[0]))
        key = call.argument(1)
    else:
        secret, key = _by_label(context, label), call.argument(0)
    if secret is None:
        raise _not_found(label or call.argument(0))
    if not secret.readable_by(context.unit.name):
        raise ToolError("ERROR permission denied")
    content = _pending(context, secret.id, label, peek=peek, refresh=refresh)
    if content is None:
        content = _stored(context, secret.id, label, peek=peek, refresh=refresh)
    if not key:
        return content
    if key not in content:
        raise ToolError(f'ERROR secret key value "{key}" not found')
    return content[key]


def _by_label(context: Context, label: str) -> Secret | None:
    if not label:
        raise ToolError("ERROR require either a secret URI or label", 2)
    own = {context.unit.name, context.application.name}
    for secret in context.secrets():
        if secret.owner in own and secret.label == label:
            return secret
        consumer = secret.consumers.get(context.unit.name)
        if consumer and consumer.label == label:
            return secret
    return None


def _pending(
    context: Context, secret_id: str, label: str, *, peek: bool, refresh: bool
) -> dict[str, str] | None:
    """Return the content that this hook has given the secret, where secret-get is to show it."""
    changes = context.secret_changes
    content = changes.content(secret_id, newest=peek or refresh)
    if content is None:
        return None
    if refresh and secret_id not in changes.created:
        changes.follow(secret_id)
    if label:
        changes.update(secret_id, Settings(label=label), context.model.secrets.get(secret_id))
    return dict(content)


def _stored(
    context: Context, secret_id: str, label: str, *, peek: bool, refresh: bool
) -> dict[str, str]:
    """Return the content of the revision that this unit reads. Raises ToolError."""
    secret = context.model.secrets[secret_id]
    revision = _follow(context, secret, label, peek=peek, refresh=refresh)
    if revision not in secret.revisions:
        raise ToolError(f'ERROR secret revision "{secret.id}/{revision}" not found')
    return dict(secret.revisions[revision].content)


def _follow(context: Context, secret: Secret, label: str, *, peek: bool, refresh: bool) -> int:
    """The revision that this unit reads; remembers it, and the label, at once as Juju does."""
    unit = context.unit.name
    consumer = secret.consumers.get(unit, Consumer())
    manager = secret.managed_by(unit, leader=context.leader)
    first = consumer.revision == 0
    revision = secret.latest if refresh or first else consumer.revision
    followed = Consumer(label if label and not manager else consumer.label, revision)
    if followed != consumer and not peek:
        consumers = {**secret.consumers, unit: followed}
        context.model.secrets[secret.id] = replace(secret, consumers=consumers)
    return secret.latest if peek else revision


def secret_info_get(call: Call) -> Any:
    context, label = call.context, call.parsed.text("label")
    secret_id = identifier(call.argument(0)) if call.args else ""
    if not secret_id and not label:
        raise ToolError("ERROR require either a secret URI or label", 2)
    for secret in context.secrets():
        if not secret.managed_by(context.unit.name, leader=context.leader):
            continue
        if secret_id == secret.id or (not secret_id and label == secret.label):
            return {secret.id: _info(secret)}
    raise _not_found(secret_id or label)


def _info(secret: Secret) -> dict[str, Any]:
    latest = secret.revisions[secret.latest]
    owner = "unit" if names.is_unit(secret.owner) else "application"
    info: dict[str, Any] = {
        "revision": secret.latest,
        "label": secret.label,
        "owner": owner,
        "rotation": secret.rotate,
    }
    if secret.description:
        info["description"] = secret.description
    if latest.expire:
        info["expiry"] = latest.expire.isoformat().replace("+00:00", "Z")
    if secret.next_rotate:
        info["rotates"] = secret.next_rotate.isoformat().replace("+00:00", "Z")
    if secret.grants:
        info["access"] = [
            {"target": target, "scope": relation, "role": "view"}
            for target, relation in sorted(secret.grants.items())
        ]
    return info


def secret_ids(call: Call) -> list[str]:
    context = call.context
    return [
        secret.id
        for secret in context.secrets()
        if secret.managed_by(context.unit.name, leader=context.leader)
    ]


def secret_remove(call: Call) -> None:
    secret = _managed(call.context, identifier(call.argument(0)))
    text = call.parsed.text("revision")
    revision = int(text) if text else None
    if revision is not None and revision not in secret.revisions:
        raise ToolError(f'ERROR secret revision "{secret.id}/{revision}" not found')
    call.context.secret_changes.remove(secret.id, revision)


def secret_grant(call: Call) -> None:
    context = call.context
    secret = _managed(context, identifier(call.argument(0)))
    if context.secret(secret.id) is None:
        raise _not_found(secret.id)
    relation = call.relation()
    other = relation.other_side(context.application.name).application
    target = call.parsed.text("unit") or other
    if names.application_of(target) != other:
        raise ToolError(f'ERROR "{target}" is not in relation {relation.id}')
    context.secret_changes.grant(secret.id, target, relation.id)


def secret_revoke(call: Call) -> None:
    context = call.context
    secret = _managed(context, identifier(call.argument(0)))
    target = call.parsed.text("unit") or call.parsed.text("app")
    if not target and call.parsed.text("relation"):
        target = call.relation().other_side(context.application.name).application
    if not target:
        raise ToolError("ERROR missing relation, application or unit", 2)
    context.secret_changes.revoke(secret.id, target)


SPECS: dict[str, Spec] = {
    "secret-add": Spec(secret_add, _CONTENT_FLAGS, output=True),
    "secret-get": Spec(
        secret_get,
        (Flag("label"), Flag("peek", "bool"), Flag("refresh", "bool")),
        output=True,
    ),
    "secret-grant": Spec(secret_grant, (RELATION, Flag("unit"))),
    "secret-ids": Spec(secret_ids, output=True),
    "secret-info-get": Spec(secret_info_get, (Flag("label"),), output=True),
    "secret-remove": Spec(secret_remove, (Flag("revision"),)),
    "secret-revoke": Spec(
        secret_revoke, (RELATION, Flag("unit"), Flag("app", aliases=("application",)))
    ),
    "secret-set": Spec(secret_set, _CONTENT_FLAGS),
}
