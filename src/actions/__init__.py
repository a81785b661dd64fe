"""The charm's actions, a module each: a function from parameters to results.

An action reads what the charm has published and what the cluster holds. Some actions also change
mappings. They are not part of the reconcile, and work while a hook would be blocked.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from files import Machine
from owner import Owner
from peers import Shared

# Linux refuses to run a program, `action-set` too, with an argument of 128 KiB.
MAX_BYTES = 100_000


@dataclasses.dataclass(frozen=True)
class Context:
    """What an action works from, beside its parameters.

    Attributes:
        machine: Where the files of the control-plane machine are.
        owner: This application.
        shared: What the leader published.
        options: The charm's options as the operator set them; nothing has checked them.
        leads: Whether this unit leads the application.
        ring_at: Sets this unit's alarm for the end of an access.
    """

    machine: Machine
    owner: Owner
    shared: Shared
    options: Mapping[str, Any]
    leads: bool
    ring_at: Callable[[datetime], None]


def run(name: str, params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Run the action ``name``, as actions.yaml has it, and return its results.

    Raises:
        ValueError: a parameter is wrong; the text names it and the remedy.
        errors.Unready: what the action needs is not there.
    """
    # An action's module is imported only when it runs, because most hooks run none.
    module = importlib.import_module(f"actions.{name.replace('-', '_')}")
    return module.run(params, context)
