# SPDX-License-Identifier: Apache-2.0

"""How long requests may take, and a deadline for all of the client's connections.

A time-out of httpx is for one step: to connect, to agree on TLS, to send or to receive some bytes.
The steps of one request add up, and a server that sends a byte now and then never ends the last.
"""

from __future__ import annotations

import time
from typing import Any

# Juju runs no other hook on the machine while one runs, and is sure of a leader for 30 s only.
# So no request is open for longer than 28 s after the client began, whatever the server does. The
# other 2 s are for what the charm does before and after.
HOOK_SECONDS = 28
# The last request begins after 20 s, and has 8.
REQUEST_SECONDS = 20
# Thousands of small writes may follow each other. The last begins after 26 s, and has 2.
LAST_WRITE_SECONDS = 26
# How long one step of a request may take, to connect or to receive some bytes.
CONNECT_SECONDS = 3
ANSWER_SECONDS = 10
WRITE_SECONDS = 4


def set_deadline(client: Any, deadline: float) -> None:
    """Let each step of a request of ``client``, a `lightkube.Client`, time out by ``deadline``.

    ``deadline`` is a time of `time.monotonic`. Call this before the client's first request.
    """
    # Neither library lets its caller choose the network of a client that has certificates.
    pool = client._client._client._transport._pool  # noqa: SLF001  (see above)
    pool._network_backend = _Network(pool._network_backend, deadline)  # noqa: SLF001  (see above)


class _Limited:
    """A network or a connection of httpcore2, and when its steps end."""

    def __init__(self, inner: Any, deadline: float):
        self._inner = inner
        self._deadline = deadline

    def _limit(self, seconds: float) -> float:
        # Without any time, a socket would not time out but raise another error at once.
        return max(0.001, min(seconds, self._deadline - time.monotonic()))


class _Network(_Limited):
    def connect_tcp(self, host: str, port: int, timeout: float, **options: Any) -> _Connection:
        inner = self._inner.connect_tcp(host, port, timeout=self._limit(timeout), **options)
        return _Connection(inner, self._deadline)


class _Connection(_Limited):
    def start_tls(
        self, ssl_context: Any, server_hostname: str | None, timeout: float
    ) -> _Connection:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._limit(timeout))
        return _Connection(inner, self._deadline)

    def write(self, buffer: bytes, timeout: float) -> None:
        self._inner.write(buffer, self._limit(timeout))

    def read(self, max_bytes: int, timeout: float) -> bytes:
        return self._inner.read(max_bytes, self._limit(timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()
