# SPDX-License-Identifier: Apache-2.0

"""How the charm asks the API server: in bounded time, with refusals as exceptions.

It is below `api.Client` what client-go's `rest` is below its clients.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from cluster import deadline
from cluster.deadline import CONNECT_SECONDS, LAST_WRITE_SECONDS, REQUEST_SECONDS, WRITE_SECONDS
from cluster.errors import Conflict, reason_of
from errors import Waiting
from statuses import waiting

if TYPE_CHECKING:
    import httpx2
    import lightkube

T = TypeVar("T")
# Compression costs more than it saves, because the API server is on this machine.
UNCOMPRESSED = {"Accept-Encoding": "identity"}


class RestClient:
    """Send requests by means of a `lightkube.Client`.

    It begins no request after `REQUEST_SECONDS`, so that a hook ends soon although every answer
    takes long. The methods raise `errors.Waiting` then. What is still open after `HOOK_SECONDS`,
    or after fewer ``seconds``, times out.

    A small write may begin as long as the hook lasts, and several threads may make some at a time.
    Its caller looks at the time.
    """

    def __init__(self, client: lightkube.Client, seconds: float | None = None):
        # lightkube's own types leave most of its arguments open.
        self._client: Any = client
        self._began = time.monotonic()
        seconds = deadline.HOOK_SECONDS if seconds is None else seconds
        self._request_seconds = min(REQUEST_SECONDS, seconds)
        deadline.set_deadline(client, self._began + seconds)

    def prolong(self) -> None:
        """Let requests begin until `LAST_WRITE_SECONDS`: small ones, which are the hook's last."""
        self._request_seconds = LAST_WRITE_SECONDS

    @property
    def seconds_left(self) -> float:
        """Return for how long requests may still begin."""
        return self._began + self._request_seconds - time.monotonic()

    @property
    def seconds_left_to_write(self) -> float:
        """Return for how long small writes may still begin, if no other request follows."""
        return self._began + LAST_WRITE_SECONDS - time.monotonic()

    def read(self, path: str, into: type[T], *, accept: str = "application/json") -> T:
        """Return the server's answer at ``path``, which is no object's, as ``into``."""
        from cluster import answers

        return answers.decode(self.get_raw(path, accept=accept).content, into)

    def get_raw(self, path: str, *, accept: str = "application/json") -> httpx2.Response:
        """Return the server's answer at ``path``."""
        self._check_time()
        response = self._generic._client.get(  # noqa: SLF001  (no public way to it)
            path, headers={"Accept": accept, **UNCOMPRESSED}
        )
        self._check_refused(response)
        return response

    def post(self, path: str, obj: Mapping[str, Any]) -> None:
        """Create an object of a kind that lightkube sends no plain map of: a small write."""
        response = self._generic._client.post(  # noqa: SLF001  (no public way to it)
            path, json=obj, headers=UNCOMPRESSED, timeout=_timeout(WRITE_SECONDS)
        )
        self._check_refused(response)

    def _send(
        self, method: str, res: type[Any], *, small: bool = False, **request: Any
    ) -> httpx2.Response:
        """Send a request as `_answer` does. Raise if the server refuses it."""
        if not small:
            self._check_time()
        seconds = WRITE_SECONDS if small else None
        response = self._answer(method, res, seconds=seconds, **request)
        self._check_refused(response)
        return response

    def _answer(
        self,
        method: str,
        res: type[Any],
        *,
        seconds: float | None,
        data: Mapping[str, Any] | None = None,
        **request: Any,
    ) -> httpx2.Response:
        """Send a request that no method of `lightkube.Client` can: these set no headers, no
        time-out of their own and no body of a deletion.

        One step of it may take ``seconds``; None means `ANSWER_SECONDS`.
        """
        prepared = self._generic.prepare_request(method, res, **request)
        if seconds is not None:
            prepared.timeout = _timeout(seconds)
        if data is not None:
            prepared.data = data
        return self._generic.send(self._generic.build_adapter_request(prepared))

    def _check_refused(self, response: httpx2.Response) -> None:
        """Raise `errors.Conflict` for a write's 409, and lightkube's error for another refusal."""
        import lightkube

        from cluster import answers

        try:
            with answers.decoding():
                self._generic.raise_for_status(response)
        except lightkube.ApiError as error:
            if error.response.status_code != 409 or response.request.method == "GET":
                raise
            raise Conflict(reason_of(error)) from error

    @property
    def _generic(self) -> Any:
        """Return what `lightkube.Client` builds on."""
        return self._client._client  # noqa: SLF001  (lightkube offers no public way to it)

    def _check_time(self) -> None:
        if self.seconds_left <= 0:
            raise Waiting(waiting.API_SLOW())


def _timeout(seconds: float) -> httpx2.Timeout:
    import httpx2

    return httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
