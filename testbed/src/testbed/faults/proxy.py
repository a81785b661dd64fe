"""A proxy between one machine's hooks and its API server, which makes chosen requests fail.

It speaks HTTP/1.1 over TLS. To the hooks it shows a certificate of the cluster's authority, and
it accepts only clients with such a certificate. To the API server it shows an administrator's.
It reads each answer to its end before it passes it on, so it cannot serve a watch.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from testbed.faults.requests import Fault, Request, RequestLog

_UPSTREAM_SECONDS = 60.0
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date"}
_HTML = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>\n"


@dataclass(frozen=True)
class Files:
    """PEM files: the cluster's authority, and the proxy's own pair for both sides."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Caller:
    """The hook that sends the requests, and which run of it."""

    id: str
    hook: str


@dataclass(frozen=True)
class Answer:
    """What the charm is answered."""

    code: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


class Proxy:
    """Serves from its creation until `close`."""

    def __init__(self, address: str, upstream: str, files: Files, requests: RequestLog) -> None:
        self.requests = requests
        self.caller: Caller | None = None
        self._upstream = urlsplit(upstream)
        self._outwards = ssl.create_default_context(cafile=files.authority)
        self._outwards.load_cert_chain(files.certificate, files.key)
        inwards = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.authority)
        inwards.verify_mode = ssl.CERT_REQUIRED
        inwards.load_cert_chain(files.certificate, files.key)
        self._server = _Server(address, inwards, self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Return the URL that replaces the API server's."""
        host, port = self._server.server_address[:2]
        return f"https://{host!s}:{port}"

    def close(self) -> None:
        """Accept no more connections."""
        self._server.shutdown()
        self._server.server_close()

    def connect(self) -> http.client.HTTPSConnection:
        """Return a new connection to the API server."""
        host, port = self._upstream.hostname or "", self._upstream.port
        return http.client.HTTPSConnection(
            host, port, timeout=_UPSTREAM_SECONDS, context=self._outwards
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: str, context: ssl.SSLContext, proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__((address, 0), _Handler)
        # A slow handshake must not block other clients: each connection's own thread does it.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # an OSError means that the hook has died
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, _Server)
        self._proxy = self.server.proxy
        self._upstream = self._proxy.connect()

    def finish(self) -> None:
        self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the inherited name
        return

    def _serve(self) -> None:
        caller, requests = self._proxy.caller, self._proxy.requests
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if caller is None:
            self.close_connection = True
            return
        request = Request(caller.id, caller.hook, self.command, self.path)
        index, fault = requests.record(request)
        answer = self._fail(fault, body) if fault else self._forward(body)
        if answer is None:
            self.close_connection = True
            return
        requests.answered(index, answer.code)
        self._send(answer, half=fault is not None and fault.what == "half")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the inherited names

    def _fail(self, fault: Fault, body: bytes) -> Answer | None:
        """Carry out a fault. Return the answer; None to close the connection without one."""
        if fault.what == "closed":
            return None
        if fault.what == "html":
            return Answer(200, "OK", [("Content-Type", "text/html; charset=utf-8")], _HTML)
        if fault.what.isdigit():
            return refusal(int(fault.what))
        answer = self._forward(body)
        if fault.what.startswith("slow:"):
            # Not before the request: it would write old state when its hook has long ended.
            time.sleep(float(fault.what.removeprefix("slow:")))
        return answer

    def _forward(self, body: bytes) -> Answer | None:
        """Return the API server's answer; None if the connection fails."""
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        try:
            self._upstream.request(self.command, self.path, body or None, headers)
            response = self._upstream.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._upstream.close()
            return None
        kept = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP_BY_HOP]
        return Answer(response.status, response.reason, kept, content)

    def _send(self, answer: Answer, *, half: bool) -> None:
        self.send_response(answer.code, answer.reason)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if half else answer.body)
        self.wfile.flush()
        self.close_connection = self.close_connection or half


def refusal(code: int) -> Answer:
    """Return a refusal as an API server words it: a Status object."""
    reason = http.client.responses.get(code, "Unknown")
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"the testbed answers {code} {reason}",
        "reason": reason.replace(" ", ""),
        "code": code,
    }
    headers = [("Content-Type", "application/json")]
    if code in (429, 503):
        headers.append(("Retry-After", "1"))
    return Answer(code, reason, headers, json.dumps(status).encode())
