"""A server that is never silent, and never ready: the charm asks it over a real socket."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lightkube.resources.core_v1 import ConfigMap
from tests.fakes.certificates.authority import Authority, root
from tests.fakes.machine import kubeconfig

from cluster import api, deadline
from cluster.errors import errors_as_status
from errors import Waiting

NAME = {"metadata": {"name": "a"}}
BODY = b'{"kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "1"}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)
# Each byte is in time by itself. All of them take twice as long as a hook may.
PAUSE = 0.03
HOOK_SECONDS = PAUSE * len(HEAD) / 2
# More than two sockets keep for each other, and what the server takes in of it at a time.
LONG, PORTION = "x" * 16_000_000, 200_000


class Server(socketserver.ThreadingTCPServer):
    """It takes its time with one part of each request, and is quick with the others."""

    def __init__(self, slow: str, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.slow = slow


class Connection(socketserver.StreamRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._receive()
            self._send(HEAD, slowly=self.server.slow == "head")
            self._send(BODY, slowly=self.server.slow == "body")

    def _receive(self) -> None:
        lines = iter(self.rfile.readline, b"\r\n")
        headers = dict(line.decode().lower().split(":", 1) for line in list(lines)[1:])
        left = int(headers.get("content-length", 0))
        while left and (portion := self.rfile.read(min(PORTION, left))):
            left -= len(portion)
            time.sleep(PAUSE if self.server.slow == "request" else 0)

    def _send(self, data: bytes, *, slowly: bool) -> None:
        for byte in data:
            self.wfile.write(bytes([byte]))
            time.sleep(PAUSE if slowly else 0)


@pytest.fixture
def authority() -> Authority:
    return root()


@pytest.fixture
def server(
    request: pytest.FixtureRequest, authority: Authority, tmp_path: Path
) -> Iterator[Server]:
    (tmp_path / "pair").write_text("".join(authority.issue(["127.0.0.1"])))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "pair")
    with Server(request.param, tls) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def client(
    server: Server, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[api.Client]:
    monkeypatch.setattr(deadline, "HOOK_SECONDS", HOOK_SECONDS if server.slow else 60)
    url = f"https://127.0.0.1:{server.server_address[1]}"
    (tmp_path / "config").write_text(kubeconfig(url, authority.certificate))
    made = api.connect(tmp_path / "config")
    yield made
    made._generic._client.close()


def patch(client: api.Client) -> api.Object:
    with errors_as_status():
        return client.apply(ConfigMap, "a", {**NAME, "data": {"a": LONG}}, namespace="kube-system")


@pytest.mark.parametrize("server", [""], indirect=True)
def test_given_a_server_that_is_quick_when_it_is_asked_then_its_answer_is_had(client: api.Client):
    assert patch(client)["metadata"]["name"] == "a"


@pytest.mark.parametrize("server", ["request", "head", "body"], indirect=True)
def test_given_a_server_that_goes_on_bit_by_bit_when_the_hooks_time_is_over_then_the_request_ends(
    client: api.Client,
):
    # In which step that is depends on how fast the machine is.
    with pytest.raises(Waiting, match="it does not answer in time"):
        patch(client)
