"""juju config and model-config."""

from __future__ import annotations

import json
from typing import Any

from testbed.juju import goyaml
from testbed.juju.cli.commands.parsing import assignments
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UnsupportedError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.manner import Manner
from testbed.juju.state import settings
from testbed.juju.state.model import MODEL_DEFAULTS, Application, Model

_FORMAT, _RESET = Flag("format"), Flag("reset", "list")


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the keys to show, and the assignments. Raise UsageError if there are both."""
    keys = [word for word in words if "=" not in word]
    pairs = [word for word in words if "=" in word]
    if keys and pairs:
        raise UsageError("cannot set and retrieve values simultaneously")
    if len(keys) > 1:
        raise UsageError("can only retrieve a single value, or all values")
    return keys, pairs


def _resets(parsed: Parsed) -> list[str]:
    return [key for word in parsed.all("reset") for key in word.split(",") if key]


def dump(value: Any, style: str) -> str:
    """Return a value in the format of `--format`: yaml or json."""
    if style == "json":
        return json.dumps(value)
    if style in ("yaml", "smart", ""):
        return goyaml.dump(value).rstrip("\n")
    raise UsageError(f'invalid value "{style}" for option --format')


def config(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no application name specified")
    name, words = parsed.args[0], parsed.args[1:]
    keys, pairs = _split(words)
    resets = _resets(parsed)
    with invocation.controller.lock:
        model = invocation.model
        application = model.application(name)
        if not (pairs or resets):
            _show(invocation, application, keys, parsed.text("format"))
            return
        _set(invocation, application, pairs, resets)
        invocation.controller.changed(model)


def _set(
    invocation: Invocation, application: Application, pairs: list[str], resets: list[str]
) -> None:
    options = application.charm.options
    values = settings.typed(options, assignments(invocation, pairs))
    for key in resets:
        if key not in options:
            raise JujuError(f'unknown option "{key}"')
    known = application.settings()
    application.config.update(values)
    for key in resets:
        application.config.pop(key, None)
    # As Juju 4 has it: a reset alone runs no `config-changed`.
    is_silent = invocation.model.manner is Manner.JUJU_4_1 and not pairs
    kept = {key: known[key] for key in resets if key in known}
    application.untold = {**kept, **application.untold} if is_silent else {}


def _show(invocation: Invocation, application: Application, keys: list[str], style: str) -> None:
    if keys:
        invocation.print(_one(application, keys[0]))
        return
    report = {
        "application": application.name,
        "charm": application.charm.name,
        "settings": settings.report(application.charm.options, application.config),
    }
    invocation.print(dump(report, style))


def _one(application: Application, key: str) -> str:
    if key not in application.charm.options:
        raise JujuError(
            f'key "{key}" not found in "{application.name}" application config or charm settings.'
        )
    value = application.settings().get(key, "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def model_config(invocation: Invocation, parsed: Parsed) -> None:
    given, resets = assignments(invocation, parsed.args), _resets(parsed)
    for key in (*given, *resets):
        if key not in MODEL_DEFAULTS:
            raise UnsupportedError(f'the model option "{key}"')
    with invocation.controller.lock:
        model = invocation.model
        if not (given or resets):
            invocation.print(dump(_model_report(model), parsed.text("format")))
            return
        model.config |= given
        for key in resets:
            model.config.pop(key, None)
        invocation.controller.changed(model)


def _model_report(model: Model) -> dict[str, dict[str, str]]:
    return {
        key: {"Value": model.setting(key), "Source": "model" if key in model.config else "default"}
        for key in sorted(MODEL_DEFAULTS)
    }


COMMANDS = (
    Command(
        "config", config, "Shows, sets or resets an application's options.",
        (_FORMAT, _RESET),
    ),
    Command(
        "model-config", model_config, "Shows, sets or resets the model's options.",
        (_FORMAT, _RESET),
    ),
)  # fmt: skip
