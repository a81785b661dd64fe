"""What `check` gets from a pod, over a real socket."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.certificates.authority import root

from checks import sts

HOST = "127.0.0.1"
NAME = "aws-iam-authenticator.kube-system.svc"


class Server(http.server.ThreadingHTTPServer):
    """An authenticator that refuses every login, with a certificate that nobody trusts."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__((HOST, 0), Handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.seen: list[tuple[str, str]] = []
        self.seconds = 0.0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self._note("announcement")
        self._answer(405, b"expected POST")

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert review["kind"] == "TokenReview"
        self._note(review["spec"]["token"])
        time.sleep(self.server.seconds)
        self._answer(403, b"{}")

    def _note(self, what: str) -> None:
        assert self.path == "/authenticate"
        self.server.seen.append((what, "{}:{}".format(*self.client_address)))

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the inherited name)
        return


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    certificate, key = root().issue([NAME])
    (tmp_path / "pair").write_text(certificate + key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "pair")
    with Server(tls) as server:
        monkeypatch.setattr(sts, "POD_PORT", server.server_port)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_given_a_pod_then_it_sees_announcement_and_login_from_the_address_that_this_end_has(
    server: Server,
) -> None:
    address = sts.log_in(HOST, "a-token", 20)

    assert server.seen == [("announcement", address), ("a-token", address)]


def test_given_a_pod_that_waits_then_the_login_ends_when_it_is_told_to(server: Server) -> None:
    server.seconds = 60

    assert sts.log_in(HOST, "a-token", 0.05) == ""
