"""Which Go built the program in the pods, by the metrics that a pod serves over a real socket."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.certificates.authority import root

from checks import image
from cluster.pods import Serving

METRICS = """# HELP go_info Information about the Go environment.
# TYPE go_info gauge
go_info{version="go1.26.9"} 1
"""


class Server(http.server.ThreadingHTTPServer):
    metrics = METRICS


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        assert self.path == "/metrics"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.metrics.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the inherited name)
        return


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    certificate, key = root().issue(["aws-iam-authenticator.kube-system.svc"])
    (tmp_path / "pair").write_text(certificate + key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "pair")
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        monkeypatch.setattr(image, "POD_PORT", server.server_port)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


POD = Serving("a", "127.0.0.1")


def test_given_a_pod_then_its_metrics_say_which_go_built_it(server: Server) -> None:
    assert image.built_by([POD]) == "go1.26.9"


def test_given_metrics_without_go_then_nobody_knows(server: Server) -> None:
    server.metrics = "# nothing"
    assert image.built_by([POD]) == ""


def test_given_no_pod_or_none_that_answers_then_nobody_knows(server: Server) -> None:
    server.shutdown()
    server.server_close()
    assert image.built_by([POD]) == ""
    assert image.built_by([]) == ""
