"""juju add-secret, update-secret, grant-secret, remove-secret: an operator's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, ToolError, UsageError
from testbed.juju.flags import Parsed
from testbed.juju.state import secrets
from testbed.juju.state.model import Model
from testbed.juju.state.secrets import MODEL, Secret, Settings


def find(model: Model, reference: str) -> Secret:
    """Return the secret with an id, or the user secret with a name. Raise JujuError."""
    secret = model.secrets.get(secrets.identifier(reference))
    named = (s for s in model.secrets.values() if s.owner == MODEL and s.label == reference)
    found = secret or next(named, None)
    if found is None:
        raise JujuError(f'secret "{reference}" not found')
    return found


def _own(model: Model, reference: str) -> Secret:
    """Return a user secret: operators change no others. Raise JujuError."""
    secret = find(model, reference)
    if secret.owner != MODEL:
        raise JujuError("permission denied")
    return secret


def _settings(invocation: Invocation, words: Sequence[str]) -> Settings:
    content = _content(invocation, words)
    _check(content)
    return Settings(content=content or None)


def _content(invocation: Invocation, words: Sequence[str]) -> dict[str, str]:
    content: dict[str, str] = {}
    for word in words:
        key, assigned, value = word.partition("=")
        if not assigned:
            raise UsageError(f'key value "{word}" not valid')
        name, _, form = key.partition("#")
        content[name] = invocation.read(value) if form == "file" else value
    return content


def _check(content: Mapping[str, str]) -> None:
    try:
        secrets.check_content(content)
    except ToolError as error:
        raise JujuError(str(error).removeprefix("ERROR ")) from error


def _check_name(model: Model, name: str) -> None:
    if any(s.owner == MODEL and s.label == name for s in model.secrets.values()):
        raise JujuError(f'secret with name "{name}" already exists')


def add(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("secret name needs to be supplied as the first argument")
    name, *words = parsed.args
    settings = replace(_settings(invocation, words), label=name)
    if settings.content is None:
        raise UsageError("missing secret value or filename")
    with invocation.controller.lock:
        model = invocation.model
        _check_name(model, name)
        secret = Secret(secrets.new_id(), MODEL)
        model.secrets[secret.id] = secrets.changed(secret, settings)
        invocation.print(secret.uri)


def update(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("missing secret URI")
    reference, *words = parsed.args
    settings = _settings(invocation, words)
    if settings.content is None:
        raise UsageError("specify at least one new value, label, or info to update")
    with invocation.controller.lock:
        model = invocation.model
        secret = _own(model, reference)
        model.secrets[secret.id] = secrets.changed(secret, settings)
        invocation.controller.changed(model)


def grant(invocation: Invocation, parsed: Parsed) -> None:
    """Let applications read a secret. Juju runs no hook for it."""
    if len(parsed.args) != 2:
        raise UsageError("missing secret URI or application name")
    reference, targets = parsed.args[0], parsed.args[1].split(",")
    with invocation.controller.lock:
        model = invocation.model
        secret = _own(model, reference)
        for target in targets:
            model.application(target)
        model.secrets[secret.id] = replace(secret, grants=secret.grants | set(targets))


def remove(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("missing secret URI")
    with invocation.controller.lock:
        model = invocation.model
        secret = _own(model, parsed.args[0])
        del model.secrets[secret.id]


COMMANDS = (
    Command("add-secret", add, "Adds a secret of the operator's."),
    Command("grant-secret", grant, "Lets applications read a secret of the operator's."),
    Command("remove-secret", remove, "Removes a secret of the operator's."),
    Command("update-secret", update, "Gives a secret of the operator's new content."),
)
