"""Stands between one machine's hooks and its API server, and lets chosen requests go wrong.

It speaks HTTP/1.1 over TLS, with a certificate of the cluster's authority towards the hooks, and
with an administrator's towards the API server. Only who holds a certificate of that authority is
let in. Answers are passed on whole: what never ends, as a watch, is nothing for it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from testbed.faults.requests import KILL_AFTER, KILL_BEFORE, Fault, Request, RequestLog

_UPSTREAM_SECONDS = 60.0
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date"}
_HTML = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>\n"


@dataclass(frozen=True)
class Files:
    """PEM files: the cluster's authority, and a pair that both ends of the proxy show."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Run:
    """The run of a hook that requests belong to, whether it failed before, and how to kill it."""

    id: str
    unit: str
    hook: str
    retry: bool
    kill: Callable[[], None]


@dataclass(frozen=True)
class Answer:
    """What the charm is told."""

    code: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes


class Proxy:
    """Serves from its making until `close`."""

    def __init__(self, address: str, upstream: str, files: Files, requests: RequestLog) -> None:
        self.requests = requests
        self.run: Run | None = None
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
        """Where hooks find the API server now."""
        host, port = self._server.server_address[:2]
        return f"https://{host!s}:{port}"

    def close(self) -> None:
        """Take no more connections."""
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
        # The handshake is left to each connection's own thread.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a hook that died is no news
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

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is inherited
        return

    def _serve(self) -> None:
        run, requests = self._proxy.run, self._proxy.requests
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if run is None:
            self.close_connection = True
            return
        request = Request(run.id, run.unit, run.hook, self.command, self.path, run.retry)
        place, fault = requests.arrives(request)
        answer = self._wrong(fault, run, body) if fault else self._forward(body)
        if answer is None:
            self.close_connection = True
            return
        requests.answered(place, answer.code)
        self._send(answer, half=fault is not None and fault.what == "half")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - as they are inherited

    def _wrong(self, fault: Fault, run: Run, body: bytes) -> Answer | None:
        """Do what is to go wrong. None: the connection ends without an answer."""
        if fault.what == KILL_BEFORE:
            run.kill()
            return None
        if fault.what == KILL_AFTER:
            self._forward(body)
            run.kill()
            return None
        if fault.what == "closed":
            return None
        if fault.what == "html":
            return Answer(200, "OK", [("Content-Type", "text/html; charset=utf-8")], _HTML)
        if fault.what.isdigit():
            return refusal(int(fault.what))
        if fault.what.startswith("slow:"):
            time.sleep(float(fault.what.removeprefix("slow:")))
        return self._forward(body)

    def _forward(self, body: bytes) -> Answer | None:
        """Return the API server's answer; None if there is none, as the charm would see it."""
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
    """Return an API server's refusal: a Status object, as its clients expect one."""
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
