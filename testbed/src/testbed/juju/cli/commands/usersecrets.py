"""juju add-secret, update-secret, grant-secret, remove-secret: an operator's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, ToolError, UsageError
from testbed.juju.flags import Parsed
from testbed.juju.state import secrets
from testbed.juju.state.model import Model
from testbed.juju.state.secrets import MODEL, Secret, Settings


def _named(model: Model, name: str) -> Secret | None:
    own = (secret for secret in model.secrets.values() if secret.owner == MODEL)
    return next((secret for secret in own if secret.label == name), None)


def _own(model: Model, reference: str) -> Secret:
    """Return the user secret with an id or a name: operators change no others."""
    found = model.secrets.get(secrets.identifier(reference)) or _named(model, reference)
    if found is None:
        raise JujuError(f'secret "{reference}" not found')
    if found.owner != MODEL:
        raise JujuError("permission denied")
    return found


def _content(invocation: Invocation, words: Sequence[str]) -> dict[str, str] | None:
    try:
        return secrets.parse_content(words, invocation.read)
    except ToolError as error:
        raise UsageError(str(error).removeprefix("ERROR ")) from error


def add(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("secret name needs to be supplied as the first argument")
    name, *words = parsed.args
    content = _content(invocation, words)
    if content is None:
        raise UsageError("missing secret value or filename")
    with invocation.controller.lock:
        model = invocation.model
        if _named(model, name):
            raise JujuError(f'secret with name "{name}" already exists')
        secret = Secret(secrets.new_id(), MODEL, label=name)
        model.secrets[secret.id] = secrets.changed(secret, Settings(content))
        invocation.print(secret.uri)


def update(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("missing secret URI")
    reference, *words = parsed.args
    content = _content(invocation, words)
    if content is None:
        raise UsageError("specify at least one new value, label, or info to update")
    with invocation.controller.lock:
        model = invocation.model
        secret = _own(model, reference)
        model.secrets[secret.id] = secrets.changed(secret, Settings(content))
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
