"""An API server of a few lines, and the keys of its cluster."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from testbed.cluster import pki


@dataclass
class ApiServer:
    """An API server that records its requests and their users."""

    url: str
    folder: Path  # ca.crt, ca.key and admin.kubeconfig, as a machine has them
    asked: list[tuple[str, str, str, bytes]] = field(default_factory=list)


@pytest.fixture
def api_server(tmp_path: Path) -> Iterator[ApiServer]:
    authority = pki.new_authority("kubernetes-ca")
    own = pki.issue(authority, "kube-apiserver", sans=["127.0.0.1"])
    for name, content in (
        ("ca.crt", authority.certificate_pem),
        ("ca.key", authority.key_pem),
        ("own.crt", own.certificate_pem),
        ("own.key", own.key_pem),
    ):
        (tmp_path / name).write_bytes(content)
    found = ApiServer("", tmp_path)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            names = self.connection.getpeercert()["subject"]
            user = next(value for part in names for key, value in part if key == "commonName")
            found.asked.append((self.command, self.path, user, body))
            answer = b'{"kind": "Service"}'
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
            return

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(tmp_path / "own.crt", tmp_path / "own.key")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"https://127.0.0.1:{server.server_address[1]}"
    admin = pki.issue(authority, "admin", group="system:masters")
    kubeconfig = pki.kubeconfig(found.url, authority, admin, "admin")
    (tmp_path / "admin.kubeconfig").write_text(kubeconfig)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()
