# SPDX-License-Identifier: Apache-2.0

"""What goes wrong on the way to the API server, and its refusals, as an `errors.Unready`.

It is `errors.Waiting` where it passes by itself, and `errors.Blocked` where a person must act.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import httpx2

from errors import Blocked, Unready, Waiting, WaitingForKubeconfig
from statuses import blocked, waiting
from text import brief


class ApiError(Exception):
    """The server refuses a request, with the HTTP status ``code``. The text is its reason.

    A write is refused with 409 if the object has changed since it was read, or another has its
    name by now.
    """

    def __init__(self, code: int, reason: str):
        super().__init__(reason)
        self.code = code


@contextlib.contextmanager
def suppress(code: int) -> Generator[None]:
    """Suppress refusals of this HTTP status, such as 404 for no object."""
    try:
        yield
    except ApiError as error:
        if error.code != code:
            raise


@contextlib.contextmanager
def errors_as_status(what: str = "an object of this charm") -> Generator[None]:
    """Raise what goes wrong on the way to the API server as an `errors.Unready`; ``what`` is what
    the API server may refuse."""
    try:
        yield
    except ApiError as error:
        raise _refusal(what, error) from error
    except httpx2.TimeoutException as error:
        raise Waiting(waiting.API_LATE()) from error
    except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol) as error:
        # Their texts may quote the kubeconfig: a header with its token, or its URL.
        raise WaitingForKubeconfig(waiting.KUBECONFIG()) from error
    except httpx2.HTTPError as error:
        raise Waiting(waiting.API_FAILED(cause=brief(error))) from error


def _refusal(what: str, error: ApiError) -> Unready:
    code, reason = error.code, brief(error)
    if code == 401:
        # The control plane's own webhook checks this credential too, and restarts now and then.
        return WaitingForKubeconfig(waiting.KUBECONFIG_REFUSED(code=code, reason=reason))
    if code in (400, 403, 404, 405, 413, 415, 422):
        return Blocked(blocked.OBJECT_REJECTED(what=what, reason=reason))
    return Waiting(waiting.API_ANSWER(code=code, reason=reason))
