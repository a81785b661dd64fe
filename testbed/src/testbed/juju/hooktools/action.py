"""The hook tools of actions."""

from __future__ import annotations

import re
from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.hooktools.call import Call, Spec
from testbed.juju.hooktools.context import ActionRun
from testbed.juju.state.actions import assign

_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z")
_RESERVED = ("stdout", "stderr")
DEFAULT_FAILURE = "action failed without reason given, check action for errors"


def _action(call: Call) -> ActionRun:
    assert call.context.action is not None
    return call.context.action


def action_get(call: Call) -> Any:
    params = _action(call).params
    return params.get(call.argument(0)) if call.args else params


def action_set(call: Call) -> None:
    for word in call.args:
        path, assigned, value = word.partition("=")
        if not assigned:
            raise ToolError(f'ERROR argument "{word}" must be of the form key...=value', 2)
        keys = path.split(".")
        if path in _RESERVED:
            raise ToolError(f'ERROR cannot set reserved action key "{path}"', 2)
        for key in keys:
            if not _KEY.match(key):
                raise ToolError(
                    f'ERROR key "{key}" must start and end with lowercase alphanumeric, '
                    "and contain only lowercase alphanumeric, hyphens and periods",
                    2,
                )
        assign(_action(call).results, keys, value)


def action_fail(call: Call) -> None:
    call.at_most(1)
    _action(call).failure = call.argument(0) or DEFAULT_FAILURE


SPECS: dict[str, Spec] = {
    "action-fail": Spec(action_fail, action_only=True),
    "action-get": Spec(action_get, output=True, action_only=True),
    "action-set": Spec(action_set, action_only=True),
}
