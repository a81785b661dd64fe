"""The way to the Kubernetes API, and what goes wrong on it.

Inside `errors_as_status`, whatever happens on the way to the API server, or comes back from it,
is raised as `errors.Waiting` (it passes by itself) or `errors.Blocked` (a person must act).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from errors import Blocked, Unready, Waiting

if TYPE_CHECKING:
    import httpx2
    from lightkube import Client
    from lightkube.config.kubeconfig import SingleConfig

MANAGER = "aws-iam"
# Where nothing answers, a hook must still end soon.
CONNECT_SECONDS = 3
ANSWER_SECONDS = 10
NO_API_SERVER = "waiting for the Kubernetes API: what answers in its place is no API server"


def connect(kubeconfig: Path) -> Client:
    """A client by the admin kubeconfig at ``kubeconfig``.

    Raises:
        errors.Waiting: there is no such file, or no usable one yet.
    """
    import httpx2
    from lightkube import Client, KubeConfig

    try:
        config = KubeConfig.from_file(kubeconfig).get()
        _check_credential(config)
        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        # The API server is reached from its own machine: no proxy belongs in between.
        return Client(config, timeout=timeout, trust_env=False, field_manager=MANAGER)
    except Exception as error:
        # Half a file fails in any of five libraries; all of it passes when the rest arrives.
        raise Waiting(
            f"waiting for the control plane to write a usable {kubeconfig} ({_line(error)})"
        ) from error


def _check_credential(config: SingleConfig | None) -> None:
    # Commands and token files would be run and read only later, where anything can come of it.
    user = config.user if config else None
    if not user or user.exec or user.token_file or not (user.token or user.client_cert_data):
        raise ValueError("no token or client certificate in it")
    (user.token or "").encode("ascii")


@contextlib.contextmanager
def errors_as_status() -> Iterator[None]:
    """Turn what the API server, or the way to it, does wrong into the operator's line."""
    import httpx2
    import lightkube
    import msgspec

    try:
        yield
    except lightkube.ApiError as error:
        raise _refusal(error.response, error.status.message) from error
    except httpx2.HTTPStatusError as error:
        raise _refusal(error.response) from error
    except httpx2.TimeoutException as error:
        raise Waiting("waiting for the Kubernetes API: it does not answer in time") from error
    except httpx2.HTTPError as error:
        raise Waiting(f"waiting for the Kubernetes API: {_line(error)}") from error
    except (msgspec.MsgspecError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Waiting(f"{NO_API_SERVER} ({_line(error)})") from error
    except KeyError as error:
        # lightkube looks up this header of a refusal without asking whether it is there.
        if error.args != ("Content-Type",):
            raise
        raise Waiting(NO_API_SERVER) from error


def _refusal(response: httpx2.Response, message: str | None = None) -> Unready:
    code, reason = response.status_code, _line(message or response.reason_phrase)
    if code in (401, 403):
        return Blocked(f"the cluster refuses /root/.kube/config: {reason}; it must be an admin's")
    if code in (400, 404, 405, 413, 415, 422):
        return Blocked(f"the cluster does not take an object of this charm: {reason}")
    return Waiting(f"waiting for the Kubernetes API: {code} {reason}")


def _line(what: BaseException | str) -> str:
    return " ".join(str(what).split())[:200] or type(what).__name__
