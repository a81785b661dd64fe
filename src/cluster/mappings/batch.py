# SPDX-License-Identifier: Apache-2.0

"""Thousands of small changes, several at a time, until all are made or the time is over.

Call `write` inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections import deque
from collections.abc import Callable, Mapping

from cluster.errors import Conflict, reason_of
from text import brief

# How many requests write at the same time: more make the API server slower, not faster.
WRITERS = 8
# How long a writer leaves a server alone that has too many requests.
RETRY_SECONDS = 1.0
# What the server says where a person's webhook or policy refuses a write, with any code.
_DENIED = re.compile("denied (the )?request")
_REFUSED = (400, 403, 413, 422)
# What it says of a user who has no right to write (403), and of a failed test in a patch (422).
_NOT_REFUSED = re.compile("is forbidden: User |the server rejected our request")

Change = Callable[[], None]


@dataclasses.dataclass(frozen=True)
class Written:
    """What became of changes.

    Attributes:
        done: How many were made.
        pending: How many are left for the next hook.
        outdated: How many no longer fit: their object was deleted or created anew since.
        refused: Why the server refuses a change, by the change's name.
    """

    done: int = 0
    pending: int = 0
    outdated: int = 0
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])


def write(changes: Mapping[str, Change], seconds: float) -> Written:
    """Make ``changes`` in their order; each is known by its name, and may be made twice.

    No request begins after ``seconds``.
    """
    if not changes:
        return Written()
    from concurrent.futures import ThreadPoolExecutor

    deadline = time.monotonic() + seconds
    # Several threads may take from a deque.
    left = deque(changes.items())
    writers = min(WRITERS, len(left))
    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(_write_some, left, deadline) for _ in range(writers)]
    shares = [writer.result() for writer in running]
    return Written(
        done=sum(share.done for share in shares),
        pending=sum(share.pending for share in shares) + len(left),
        outdated=sum(share.outdated for share in shares),
        refused={name: reason for share in shares for name, reason in share.refused.items()},
    )


def _write_some(left: deque[tuple[str, Change]], deadline: float) -> Written:
    """Make changes from ``left`` until it is empty or the time is over."""
    import httpx2

    done, pending, outdated, refused = 0, 0, 0, dict[str, str]()
    while time.monotonic() < deadline:
        try:
            name, change = left.popleft()
        except IndexError:
            break
        try:
            change()
            done += 1
        except httpx2.TimeoutException:
            # It may have been made, so it does no harm to make it again.
            left.append((name, change))
            break
        except httpx2.HTTPStatusError as error:
            code, reason = error.response.status_code, reason_of(error)
            if is_refused(code, reason):
                refused[name] = brief(reason)
            elif code == 429:
                left.append((name, change))
                time.sleep(RETRY_SECONDS)
            elif is_outdated(code):
                outdated += 1
            else:
                raise
        except Conflict as error:
            if is_refused(409, str(error)):
                refused[name] = brief(str(error))
            else:
                pending += 1
    return Written(done, pending, outdated, refused)


def is_refused(code: int, reason: str) -> bool:
    """Return whether the server refuses this change, rather than whatever the charm writes."""
    if _DENIED.search(reason):
        return True
    return code in _REFUSED and not _NOT_REFUSED.search(reason)


def is_outdated(code: int) -> bool:
    """Return whether a change that is not refused no longer fits its object, or that is gone."""
    return code in (404, 422)
