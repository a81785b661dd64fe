"""The hook tools that create and change secrets."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import FILE, Call, Spec
from testbed.juju.hooktools.context import Context
from testbed.juju.hooktools.secretread import not_found, refused
from testbed.juju.state.secrets import (
    Secret,
    Settings,
    check_content,
    identifier,
    new_id,
    parse_expire,
)
from testbed.juju.state.status import now

_CONTENT_FLAGS = (
    Flag("label"),
    Flag("description"),
    Flag("expire"),
    Flag("owner"),
    FILE,
)


def _managed(context: Context, secret_id: str) -> Secret:
    """Return a secret that this unit may change. Raise ToolError if it may not."""
    secret = context.any_secret(secret_id)
    if secret is None:
        raise not_found(secret_id)
    if not secret.managed_by(context.unit.name, leader=context.leader):
        raise (
            not_found(secret_id)
            if secret.owned_by(context.unit.name)
            else refused(context, "manage")
        )
    return secret


def _settings(call: Call) -> Settings:
    content = _content(call, call.args)
    expire = call.parsed.text("expire")
    given = call.parsed.values
    return Settings(
        content=content or None,
        label=call.parsed.text("label") if "label" in given else None,
        description=call.parsed.text("description") if "description" in given else None,
        expire=parse_expire(expire, now()) if expire else None,
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
    return f"secret://{context.model.uuid}/{secret.id}"


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


def secret_remove(call: Call) -> None:
    """Remove a secret or a revision. As in Juju it is no error if there is none."""
    secret_id = identifier(call.argument(0))
    if call.context.any_secret(secret_id) is None:
        return
    secret = _managed(call.context, secret_id)
    text = call.parsed.text("revision")
    revision = int(text) if text else None
    if revision is not None and revision not in secret.revisions:
        return
    call.context.secret_changes.remove(secret.id, revision)


SPECS: dict[str, Spec] = {
    "secret-add": Spec(secret_add, _CONTENT_FLAGS, output=True),
    "secret-remove": Spec(secret_remove, (Flag("revision"),)),
    "secret-set": Spec(secret_set, _CONTENT_FLAGS),
}
