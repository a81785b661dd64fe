# SPDX-License-Identifier: Apache-2.0

"""What goes wrong on the way to the API server, and its refusals, as an `errors.Unready`.

It is `errors.Waiting` where it passes by itself, and `errors.Blocked` where a person must act.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, TypeVar

from errors import Blocked, Unready, Waiting, WaitingForKubeconfig
from statuses import blocked, waiting
from text import brief

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
# What the server says where a person's webhook or policy refuses a write, with any code.
_DENIED = re.compile("denied (the )?request")
_REFUSED = (400, 403, 413, 422)
# What it says of a user who has no right (403), of a failed test in a patch, and of a mapping that
# has another ARN by now (422).
_NOT_REFUSED = re.compile("forbidden: User |the server rejected our request|arn cannot be changed")
# After these tries another hook changes what others kept changing.
CONFLICT_TRIES = 5


class Conflict(Exception):
    """An object has changed since it was read, or another has its name by now (409).

    The text is the server's reason.
    """


def retry_on_conflict(step: Callable[[], T], status: str, tries: int = CONFLICT_TRIES) -> T:
    """Take ``step``, which reads an object and writes it, until it meets no conflict.

    Raises:
        errors.Waiting: others kept changing the object; ``status`` says so.
    """
    for _ in range(tries):
        with contextlib.suppress(Conflict):
            return step()
    raise Waiting(status)


@contextlib.contextmanager
def errors_as_status() -> Generator[None]:
    """Raise what goes wrong on the way to the API server as an `errors.Unready`."""
    import httpx2

    try:
        yield
    except Conflict as error:
        raise _refusal(409, str(error)) from error
    except httpx2.HTTPStatusError as error:
        raise _refusal(error.response.status_code, reason_of(error)) from error
    except httpx2.TimeoutException as error:
        raise Waiting(waiting.API_LATE()) from error
    except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol) as error:
        # Their texts may quote the kubeconfig: a header with its token, or its URL.
        raise WaitingForKubeconfig(waiting.KUBECONFIG()) from error
    except httpx2.HTTPError as error:
        raise Waiting(waiting.API_FAILED(cause=brief(error))) from error


def reason_of(error: httpx2.HTTPStatusError) -> str:
    """Return why the server refuses a request, in its own words."""
    import lightkube

    said = error.status.message if isinstance(error, lightkube.ApiError) else None
    return said or error.response.reason_phrase


def is_refused(code: int, reason: str) -> bool:
    """Return whether the server refuses this change, rather than whatever the charm writes."""
    if _DENIED.search(reason):
        return True
    return code in _REFUSED and not _NOT_REFUSED.search(reason)


def _refusal(code: int, said: str) -> Unready:
    reason = brief(said)
    if code == 401:
        # The control plane's own webhook checks this credential too, and restarts now and then.
        return WaitingForKubeconfig(waiting.KUBECONFIG_REFUSED(code=code, reason=reason))
    if code == 403 and not is_refused(code, said):
        return Blocked(blocked.KUBECONFIG_FORBIDDEN(reason=reason))
    if code in (400, 403, 404, 405, 413, 415, 422):
        return Blocked(blocked.OBJECT_REJECTED(reason=reason))
    return Waiting(waiting.API_ANSWER(code=code, reason=reason))


@contextlib.contextmanager
def suppress(code: int) -> Generator[None]:
    """Suppress the server's refusals of this HTTP status, such as 409 for a conflict."""
    from lightkube import ApiError

    try:
        yield
    except ApiError as error:
        if error.status.code != code:
            raise
