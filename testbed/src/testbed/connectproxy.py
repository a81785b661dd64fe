"""A proxy that demands credentials, and opens TLS with an authority of its own.

It knows CONNECT only. Inside the connection it answers with a certificate for the host that was
asked for, and passes each request on in a TLS connection of its own. It runs in threads of its
caller: a test in the lab.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import ssl
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from testbed.cluster import pki

USER, PASSWORD = "aws-iam", "only-for-the-testbed"

_SECONDS = 20.0
_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


@dataclass
class Seen:
    """What the proxy has seen: every host and port that was asked for, and with wrong credentials,
    and each request inside, without its query: that of a presigned request is a credential."""

    asked: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    requests: list[str] = field(default_factory=list[str])


class ConnectProxy:
    """Serves on a free port of ``address`` from its creation until `close`."""

    def __init__(
        self, address: str, authority: pki.Pair, upstream: ssl.SSLContext | None = None
    ) -> None:
        """``upstream`` says whom the proxy trusts: without it, whom this machine trusts."""
        self.seen = Seen()
        self.upstream = upstream or ssl.create_default_context()
        self._authority = authority
        self._server = _Server((address, 0), self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Return what a client's HTTPS_PROXY is to be."""
        host, port = self._server.server_address[:2]
        return f"http://{USER}:{PASSWORD}@{host!s}:{port}"

    def close(self) -> None:
        """Accept no more connections."""
        self._server.shutdown()
        self._server.server_close()

    def tls(self, host: str) -> ssl.SSLContext:
        """Return the server's side of TLS, with a certificate for ``host``."""
        pair = pki.issue(self._authority, host, sans=[host])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "pair.pem")
            file.write_bytes(pair.key_pem + pair.certificate_pem)
            context.load_cert_chain(file)
        return context

    def __enter__(self) -> ConnectProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], proxy: ConnectProxy) -> None:
        self.proxy = proxy
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # An OSError means that the client has gone, or that it does not trust the authority.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _SECONDS

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, _Server)
        self._proxy = self.server.proxy
        self._upstream: http.client.HTTPSConnection | None = None

    def finish(self) -> None:
        if self._upstream:
            self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the inherited name
        return

    def do_CONNECT(self) -> None:
        self._proxy.seen.asked.append(self.path)
        if self.headers.get("Proxy-Authorization") != _authorization():
            self._proxy.seen.refused.append(self.path)
            self._answer(407, [("Proxy-Authenticate", "Basic")], b"")
            return
        self.send_response(200)
        self.end_headers()
        host, _, port = self.path.rpartition(":")
        self._upstream = http.client.HTTPSConnection(
            host, int(port), timeout=_SECONDS, context=self._proxy.upstream
        )
        self.connection = self._proxy.tls(host).wrap_socket(self.connection, server_side=True)
        self.close_connection = False  # some clients send CONNECT as HTTP/1.0
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def _pass_on(self) -> None:
        if not self._upstream:
            self._answer(405, [], b"")
            return
        self._proxy.seen.requests.append(f"{self.command} {self.path.partition('?')[0]}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._upstream.request(self.command, self.path, body or None, dict(self.headers))
        response = self._upstream.getresponse()
        self._answer(response.status, response.getheaders(), response.read())

    do_GET = do_POST = _pass_on  # noqa: N815 - the inherited names

    def _answer(self, code: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(code)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _authorization() -> str:
    return "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
