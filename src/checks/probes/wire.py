# SPDX-License-Identifier: Apache-2.0

"""What this machine gets from the Service and from the pods themselves.

No step of it takes longer than it is given seconds, but the steps of one call add up, so the
caller runs it in a thread that it need not wait for.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from cluster.references import POD_PORT
from text import in_url


def leaf(address: str, port: int, server_name: str, seconds: float) -> bytes:
    """Return the certificate (DER) that a server shows to whoever asks for ``server_name``.

    Raises:
        OSError: there is no such server, or it does not speak TLS.
    """
    with (
        socket.create_connection((address, port), timeout=seconds) as plain,
        _unverified().wrap_socket(plain, server_hostname=server_name) as connection,
    ):
        return connection.getpeercert(binary_form=True) or b""


class Pod:
    """A connection to a pod, over which the requests go one after the other."""

    def __init__(self, address: str, seconds: float):
        self._connection = http.client.HTTPSConnection(
            address, POD_PORT, timeout=seconds, context=_unverified()
        )
        self._connection.connect()

    @property
    def client(self) -> str:
        """Return this end's address and port, as the authenticator logs them."""
        host, port, *_ = self._connection.sock.getsockname()
        return f"{in_url(host)}:{port}"

    def wait(self, seconds: float) -> None:
        """Let an answer take so long from now on."""
        self._connection.sock.settimeout(max(0.001, seconds))

    def metrics(self) -> str:
        """Return the counters, as Prometheus reads them."""
        self._connection.request("GET", "/metrics")
        return self._connection.getresponse().read().decode(errors="replace")

    def log_in(self, token: str) -> int:
        """Return the HTTP status of the authenticator's answer to a login."""
        review: Mapping[str, Any] = {
            "apiVersion": "authentication.k8s.io/v1beta1",
            "kind": "TokenReview",
            "spec": {"token": token},
        }
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/authenticate", json.dumps(review), headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _unverified() -> ssl.SSLContext:
    # OpenSSL refuses certificates that Go's TLS accepts, so a verdict of its own is worth nothing
    # here: `certificates.verdict` has the one that counts. And nothing secret is sent.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
