# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""What goes wrong on the way to the API server, and its refusals, as an `errors.Unready`.

It is `errors.Waiting` where it passes by itself, and `errors.Blocked` where a person must act.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING

from errors import Blocked, Unready, Waiting, WaitingForKubeconfig
from text import brief

if TYPE_CHECKING:
    import httpx2

NOT_KUBERNETES = "the Kubernetes API returned something that is not Kubernetes"


@contextlib.contextmanager
def errors_as_status() -> Generator[None]:
    """Raise what goes wrong on the way to the API server as an `errors.Unready`."""
    import httpx2

    try:
        yield
    except httpx2.HTTPStatusError as error:
        raise _refusal(error.response.status_code, brief(reason_of(error))) from error
    except httpx2.TimeoutException as error:
        raise Waiting("waiting for the Kubernetes API: it does not answer in time") from error
    except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol) as error:
        # Their texts may quote the kubeconfig: a header with its token, or its URL.
        raise WaitingForKubeconfig(
            "waiting for the control plane to write a usable kubeconfig"
        ) from error
    except httpx2.HTTPError as error:
        raise Waiting(f"waiting for the Kubernetes API: {brief(error)}") from error


def reason_of(error: httpx2.HTTPStatusError) -> str:
    """Return why the server refuses a request, in its own words."""
    import lightkube

    said = error.status.message if isinstance(error, lightkube.ApiError) else None
    return said or error.response.reason_phrase


def _refusal(code: int, reason: str) -> Unready:
    if code == 401:
        # The control plane's own webhook checks this credential too, and restarts now and then.
        return WaitingForKubeconfig(
            f"waiting for the Kubernetes API to accept /root/.kube/config: {code} {reason}"
        )
    if code == 403:
        return Blocked(
            f"the cluster refuses /root/.kube/config: {reason}; it must be an admin's kubeconfig"
        )
    if code in (400, 404, 405, 413, 415, 422):
        return Blocked(f"the cluster rejects an object of this charm: {reason}")
    return Waiting(f"waiting for the Kubernetes API: {code} {reason}")


@contextlib.contextmanager
def suppress(code: int) -> Generator[None]:
    """Suppress the server's refusals of this HTTP status, such as 409 for a conflict."""
    from lightkube import ApiError

    try:
        yield
    except ApiError as error:
        if error.status.code != code:
            raise
