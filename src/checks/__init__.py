# SPDX-License-Identifier: Apache-2.0

"""The way of a login, step by step: what works, what does not, and what fixes it.

The steps follow a login from the API server to STS, a module each. They change nothing.
Here is what they start from, and what comes of each; `actions.check` runs them.
"""

from __future__ import annotations

import dataclasses
import enum
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from errors import Unready
from juju.peers import Shared
from machine.files import Machine
from owner import Owner
from text import look_again, one_line

T = TypeVar("T")


class StepState(enum.Enum):
    """Whether a step works. The value is what people read."""

    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a step."""

    state: StepState  # Whether it works.
    seen: str  # What was seen, or why nothing was looked at.
    remedy: str = ""  # The command or the setting that fixes it; empty if nothing failed.

    def __str__(self) -> str:
        # Juju shows a text of several lines as it is, and folds a longer line: nobody could copy
        # a folded command. What was seen has one line: each further line is for people to run.
        return "\n".join(filter(None, (f"{self.state.value}: {one_line(self.seen)}", self.remedy)))


def ok(seen: str) -> Outcome:
    """Return the outcome of a step that works."""
    return Outcome(StepState.OK, seen)


def failed(seen: str, remedy: str) -> Outcome:
    """Return the outcome of a step that does not work, with what fixes it."""
    return Outcome(StepState.FAILED, seen, remedy)


def not_checked(why: str) -> Outcome:
    """Return the outcome of a step that could not be looked at."""
    return Outcome(StepState.NOT_CHECKED, why)


def again(*units: str) -> str:
    """Return the command after which ``units``, one after the other, look at everything again."""
    return f"run: {'; '.join(map(look_again, units))}"


@dataclasses.dataclass(frozen=True)
class Site:
    """What the steps start from, and what their remedies call applications and units."""

    machine: Machine  # This unit's machine.
    owner: Owner  # This application.
    shared: Shared  # What the leader published.
    principal: str  # The control-plane unit that this unit is subordinate to.
    region: str  # The region whose STS is asked.

    @property
    def control_plane(self) -> str:
        """Return the control plane's application."""
        return self.principal.partition("/")[0]

    @property
    def leader(self) -> str:
        """Return this application's leader."""
        return f"{self.owner.application}/leader"

    def on_machine(self, command: str) -> str:
        """Return what runs ``command`` on this unit's machine."""
        return f"run: juju exec --unit {self.principal} -- {command}"


def at_once(tasks: Mapping[str, Callable[[], T]], deadline: float) -> dict[str, T]:
    """Run ``tasks`` at once, and return the results of those that end by the ``deadline``.

    Daemon threads do not keep the process alive, so what hangs is left behind. msgspec crashes if
    two threads decode the first objects of one class, so only one task may read Kubernetes
    objects.

    A bug in a task is raised here: without a result, it would count as late.
    """
    results: dict[str, T] = {}
    bugs: list[Exception] = []

    def keep(name: str, task: Callable[[], T]) -> None:
        try:
            results[name] = task()
        except Unready:
            # It had no time left.
            pass
        except Exception as error:  # noqa: BLE001  (raised below)
            bugs.append(error)

    threads = [threading.Thread(target=keep, args=item, daemon=True) for item in tasks.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    for bug in bugs:
        raise bug
    return dict(results)
