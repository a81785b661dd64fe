"""The hook tools that read secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import Call, Spec
from testbed.juju.hooktools.context import Context
from testbed.juju.state import names
from testbed.juju.state.secrets import Consumer, Secret, Settings, identifier

_ID_LENGTH = 20


def not_found(what: str) -> ToolError:
    return ToolError(f'ERROR secret "{what}" not found')


def secret_get(call: Call) -> Any:
    context, label = call.context, call.parsed.text("label")
    peek, refresh = call.parsed.on("peek"), call.parsed.on("refresh")
    if call.args:
        secret, key = context.any_secret(_uri(call.argument(0))), call.argument(1)
    else:
        secret, key = _by_label(context, label), ""
    if secret is None:
        raise (
            ToolError(f'ERROR consumer label "{label}" not found')
            if label
            else not_found(call.argument(0))
        )
    if not secret.owned_by(context.unit.name):
        raise ToolError(f"ERROR {context.refusal('read')}")
    content = _pending(context, secret.id, label, peek=peek, refresh=refresh)
    if content is None:
        content = _stored(context, secret.id, label, peek=peek, refresh=refresh)
    if not key:
        return content
    if key not in content:
        raise ToolError(f'ERROR secret key value "{key}" not found')
    return content[key]


def _uri(text: str) -> str:
    if not text.startswith("secret:") and len(text) != _ID_LENGTH:
        raise ToolError(f'ERROR secret URI "{text}" not valid', 2)
    return identifier(text)


def _by_label(context: Context, label: str) -> Secret | None:
    if not label:
        raise ToolError("ERROR require either a secret URI or label", 2)
    own = {context.unit.name, context.application.name}
    # The controller knows by its label too what this hook removes.
    for secret in (*context.secrets(), *context.model.secrets.values()):
        if secret.owner in own and secret.label == label:
            return secret
        consumer = secret.consumers.get(context.unit.name)
        if consumer and consumer.label == label:
            return secret
    return None


def _pending(
    context: Context, secret_id: str, label: str, *, peek: bool, refresh: bool
) -> dict[str, str] | None:
    """Return the content that this hook has set, if secret-get shows it."""
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
    """Return the content of the revision that this unit reads. Raise ToolError."""
    secret = context.model.secrets[secret_id]
    revision = _follow(context, secret, label, peek=peek, refresh=refresh)
    if revision not in secret.revisions:
        raise ToolError(f'ERROR secret revision "{secret.id}/{revision}" not found')
    return dict(secret.revisions[revision].content)


def _follow(context: Context, secret: Secret, label: str, *, peek: bool, refresh: bool) -> int:
    """Return the revision that this unit reads. Store it and the label at once, as Juju does."""
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
    raise not_found(secret_id or label)


def _info(secret: Secret) -> dict[str, Any]:
    latest = secret.revisions[secret.latest]
    owner = "unit" if names.is_unit(secret.owner) else "application"
    info: dict[str, Any] = {
        "revision": secret.latest,
        "label": secret.label,
        "owner": owner,
    }
    if secret.description:
        info["description"] = secret.description
    if latest.expire:
        info["expiry"] = latest.expire.isoformat().replace("+00:00", "Z")
    return info


SPECS: dict[str, Spec] = {
    "secret-get": Spec(
        secret_get,
        (Flag("label"), Flag("peek", "bool"), Flag("refresh", "bool")),
        output=True,
    ),
    "secret-info-get": Spec(secret_info_get, (Flag("label"),), output=True),
}
