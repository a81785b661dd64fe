# SPDX-License-Identifier: Apache-2.0

"""Bugs of the charm: told as bugs, with the place, and no reason for a unit in error.

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

from errors import Blocked, Unready, Waiting
from statuses import blocked, waiting
from text import brief

logger = logging.getLogger(__name__)

_OURS = str(Path(__file__).parent)


@contextlib.contextmanager
def as_status(unit: str) -> Generator[None]:
    """Raise a bug as `errors.Blocked`, and what Juju refuses as `errors.Waiting`.

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
        raise Blocked(tell(error, unit)) from error


def tell(error: Exception, unit: str) -> str:
    """Log where ``error`` was raised, and return the line for a status.

    Neither has its message, because that may quote what people or the cluster wrote.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS)]
    last, kind = (ours or frames)[-1], type(error).__name__
    logger.error("internal error %s at\n%s", kind, "".join(traceback.format_list(frames)))
    place = f"{Path(last.filename).name}:{last.lineno}"
    return blocked.INTERNAL_ERROR(kind=kind, place=place, unit=unit)
