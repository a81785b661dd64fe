# SPDX-License-Identifier: Apache-2.0

"""Why a unit cannot finish its work, said for the operator; and bugs of the charm, told as bugs.

Every module raises `Unready`; ``charm.py`` alone turns it into a Juju status. The text is one
line: what is wrong, then the command to run or the party to wait for.

A unit in error keeps Juju from all other work on its machine: removal, upgrades, and the hooks
and actions of the control plane and every other subordinate. So a bug in one step of ours is a
blocked status, and the next hook tries again. The log has the traceback.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Generator
from pathlib import Path

import ops

from statuses import blocked, waiting
from text import brief

logger = logging.getLogger(__name__)

_OURS = str(Path(__file__).parent)


class Unready(Exception):
    """The unit cannot finish its work now."""

    def __init__(self, text: str, *, announced: bool = False):
        super().__init__(text)
        # Whether an event of Juju tells when this changes. Otherwise the unit must look by itself.
        self.announced = announced


class Blocked(Unready):
    """A person must act; the text says how."""


class Waiting(Unready):
    """Another party must act first; the text says which."""


class WaitingForKubeconfig(Waiting):
    """The control plane must first write an administrator's kubeconfig that works."""


@contextlib.contextmanager
def collected(problems: list[Unready]) -> Generator[None]:
    """Add an `Unready` to ``problems`` in place of raising it: the reconcile goes on."""
    try:
        yield
    except Unready as problem:
        problems.append(problem)


@contextlib.contextmanager
def bugs_as_status(unit: str) -> Generator[None]:
    """Raise a bug as `Blocked`, and what Juju refuses as `Waiting`.

    ``unit`` is this unit's name. While a model falls apart, Juju lists relations that nobody can
    read any more, and a hook that failed then would run again and fail again.
    """
    try:
        yield
    except Unready:
        raise
    except (ops.ModelError, ops.hookcmds.Error) as error:
        raise Waiting(waiting.JUJU(cause=brief(error))) from error
    except Exception as error:
        raise Blocked(tell_bug(error, unit)) from error


def tell_bug(error: Exception, unit: str) -> str:
    """Log where ``error`` was raised, and return the line for a status.

    Neither has its message, because that may quote what people or the cluster wrote.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS)]
    last, kind = (ours or frames)[-1], type(error).__name__
    logger.error("internal error %s at\n%s", kind, "".join(traceback.format_list(frames)))
    place = f"{Path(last.filename).name}:{last.lineno}"
    return blocked.INTERNAL_ERROR(kind=kind, place=place, unit=unit)
