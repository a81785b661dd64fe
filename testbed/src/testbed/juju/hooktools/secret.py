"""The hook tools that create and change secrets."""

from __future__ import annotations

from collections.abc import Sequence

from testbed.juju.errors import ToolError
from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import Call, Spec
from testbed.juju.state.secrets import (
    Secret,
    Settings,
    identifier,
    new_id,
    parse_content,
    parse_expire,
)
from testbed.juju.state.status import now

_CONTENT_FLAGS = (Flag("label"), Flag("description"), Flag("expire"), Flag("owner"))


def _settings(call: Call, words: Sequence[str]) -> Settings:
    expire = call.parsed.text("expire")
    given = call.parsed.values
    return Settings(
        content=parse_content(words, lambda path: call.files[path].decode()),
        label=call.parsed.text("label") if "label" in given else None,
        description=call.parsed.text("description") if "description" in given else None,
        expire=parse_expire(expire, now()) if expire else None,
    )


def _owner(call: Call) -> str:
    context = call.context
    if call.parsed.text("owner", "application") == "unit":
        return context.unit.name
    context.require_leader()
    return context.application.name


def secret_add(call: Call) -> str:
    context, settings = call.context, _settings(call, call.args)
    if settings.content is None:
        raise ToolError("ERROR missing secret value or filename", 2)
    secret = Secret(new_id(), _owner(call))
    context.secret_changes.create(secret, settings)
    return f"secret://{context.model.uuid}/{secret.id}\n"


def secret_set(call: Call) -> None:
    context, secret_id = call.context, identifier(call.argument(0))
    settings = _settings(call, call.args[1:])
    stored = context.model.secrets.get(secret_id)
    known = stored and stored.managed_by(context.unit.name, leader=context.leader)
    context.secret_changes.update(secret_id, settings, stored if known else None)


def secret_remove(call: Call) -> None:
    revision = call.parsed.text("revision")
    secret_id = identifier(call.argument(0))
    call.context.secret_changes.remove(secret_id, int(revision) if revision else None)


SPECS: dict[str, Spec] = {
    "secret-add": Spec(secret_add, _CONTENT_FLAGS),
    "secret-remove": Spec(secret_remove, (Flag("revision"),)),
    "secret-set": Spec(secret_set, _CONTENT_FLAGS),
}
