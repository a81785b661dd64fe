"""STS as a process, which serves HTTPS on port 443.

`python -m testbed.aws.server ADDRESS CERTIFICATE KEY TROUBLED`

TROUBLED is a file that may come and go. Each line has a network, and what its requests get:
`throttled` or `throttled:N`, that all or one in N are too many, `failing`, or `slow:SECONDS`.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import itertools
import socket
import ssl
import sys
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from testbed.aws.accounts import Accounts
from testbed.aws.api import Response, failing, refuse, respond, throttling
from testbed.aws.sigv4 import Refused, Request

PORT = 443

_IDLE_SECONDS = 60
_LARGEST_BODY = 64 * 1024


class _Server(ThreadingHTTPServer):
    """Does each TLS handshake in a thread, so that a slow client does not block the others."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, address: str, port: int, tls: ssl.SSLContext, accounts: Accounts, troubled: Path
    ) -> None:
        super().__init__((address, port), _Handler)
        self.tls = tls
        self.accounts = accounts
        self._troubled = troubled
        self._requests = itertools.count(1)

    def refusal(self, client: str) -> Refused | None:
        """Return the error for the client at an address; None if it gets an answer.

        Wait first, as long as that client has to.
        """
        kind, _, number = trouble(client, self._troubled).partition(":")
        if kind == "slow":
            time.sleep(float(number))
        if kind == "throttled" and next(self._requests) % int(number or 1) == 0:
            return throttling()
        return failing() if kind == "failing" else None

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request.settimeout(_IDLE_SECONDS)
        with self.tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handle_error(request, client_address)


def trouble(address: str, file: Path) -> str:
    """Return what a file, if it is there, says of the network that an address is in."""
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except FileNotFoundError:
        return ""
    own = ipaddress.ip_address(address)
    return next((what for network, what in lines if own in ipaddress.ip_network(network)), "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _accounts(self) -> Accounts:
        assert isinstance(self.server, _Server)
        return self.server.accounts

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        path, _, query = self.path.partition("?")
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        body = self.rfile.read(int(length))
        request = Request(self.command, path, query, headers, body)
        assert isinstance(self.server, _Server)
        if reason := self.server.refusal(self.client_address[0]):
            self._send(refuse(request, reason))
            return
        now = dt.datetime.now(dt.timezone.utc)
        self._send(respond(request, self._accounts, now))

    def _send(self, response: Response) -> None:
        """Send head and body in one write: two would wait 40 ms for a delayed acknowledgement."""
        phrase = HTTPStatus(response.status).phrase
        head = (
            f"HTTP/1.1 {response.status} {phrase}\r\n"
            f"Date: {self.date_time_string()}\r\n"
            f"Content-Type: {response.content_type}\r\n"
            f"Content-Length: {len(response.body)}\r\n"
            f"x-amzn-RequestId: {response.request_id}\r\n\r\n"
        )
        self.wfile.write(head.encode() + response.body)
        self.log_request(response.status)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log neither query nor headers, because a presigned query is a credential."""
        path = self.path.partition("?")[0]
        self.log_message("%s %s %s", self.command, path, str(code))


def main(address: str, certificate: str, key: str, troubled: str) -> None:
    """Serve until killed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    _Server(address, PORT, tls, Accounts.load(), Path(troubled)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
