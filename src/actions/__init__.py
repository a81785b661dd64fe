# SPDX-License-Identifier: Apache-2.0

"""The charm's actions, a module each: a function from parameters to results.

An action reads what the charm has published and what the cluster holds. Some actions also change
mappings. They are not part of the reconcile, and work while a hook would be blocked.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from errors import Unready, tell_bug
from text import cut, one_line, status_line

if TYPE_CHECKING:
    import ops

    from hook import Hook

# Linux refuses to run a program, `action-set` too, with an argument of 128 KiB.
MAX_BYTES = 100_000
# From here on Juju folds a result, which may have quotes around it.
_WIDTH = 78


class Failed(Exception):
    """The action fails, and may have results all the same."""

    def __init__(self, text: str, results: Mapping[str, str] | None = None):
        super().__init__(text)
        self.results = results or {}


def check_leads(hook: Hook) -> None:
    """Raise ValueError unless this unit leads: one writer at a time changes access."""
    if not hook.leads:
        application = hook.owner.application
        raise ValueError(f"only the leader changes access: run this on {application}/leader")


def answer(event: ops.ActionEvent, hook: Hook) -> None:
    """Run the action of ``event``, and answer it.

    Each module has a function `run` from the parameters and the hook to the results, which raises:
        ValueError: a parameter is wrong; the text names it and the remedy.
        errors.Unready: what the action needs is not there.
        Failed: what it found is not as it should be.
    """
    name = event.handle.kind.removesuffix("_action")
    try:
        # An action's module is imported only when it runs, because most hooks run none.
        results = importlib.import_module(f"actions.{name}").run(event.params, hook)
        event.set_results({key: _unfolded(key, text) for key, text in results.items()})
    except Failed as failure:
        event.set_results({key: _unfolded(key, text) for key, text in failure.results.items()})
        event.fail(joined([f"{failure}"]))
    except (ValueError, Unready) as reason:
        event.fail(status_line(reason))
    except Exception as error:  # noqa: BLE001  (a bug, and no reason for an action that crashes)
        event.fail(status_line(tell_bug(error, hook.charm.unit.name)))


def _unfolded(key: str, text: str) -> str:
    """Return a result as `juju run` prints it without folding it, if it has a command.

    Juju folds a line of more than 80 characters between words, and nobody could copy a folded
    command. It leaves a text with a line's end as it is.
    """
    is_folded = "\n" not in text and len(f"{key}: {text}") > _WIDTH
    return f"{text}\n" if is_folded and "run: " in text else text


def joined(lines: Iterable[str]) -> str:
    """Return a result of several lines, and only the beginning of one that is too long."""
    return cut("\n".join(map(one_line, lines)), MAX_BYTES)
