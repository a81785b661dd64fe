"""The registry as a process, which serves HTTPS on port 443.

`python -m testbed.registry.server ADDRESS CERTIFICATE KEY PROGRAMS AWS_AUTHORITY`
"""

from __future__ import annotations

import ssl
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from testbed.cluster import images
from testbed.cluster.images import Image
from testbed.cluster.settings import REGISTRY
from testbed.registry.content import Repository

PORT = 443
_IDLE_SECONDS = 60


class Server(ThreadingHTTPServer):
    """Serves one repository."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], repository: Repository, tls: ssl.SSLContext):
        super().__init__(address, _Handler)
        self.repository, self.tls = repository, tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(_IDLE_SECONDS)
        with self.tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        if self.path == "/v2/":
            self._answer(HTTPStatus.OK, {})
        elif found := self.server.repository.find(self.path):
            headers = {"Content-Type": found.media_type, "Docker-Content-Digest": found.digest}
            self._answer(HTTPStatus.OK, headers, found.body)
        else:
            self._answer(HTTPStatus.NOT_FOUND, {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: HTTPStatus, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def private_image(programs: Path, aws_authority: Path) -> Image:
    """Return the image to pull.

    Its layer differs from that of the image which machines have already, so it is pulled whole.
    """
    authority = aws_authority.read_bytes()
    return images.authenticator(programs, authority, {"/etc/registry": REGISTRY.encode()})


def main(address: str, certificate: str, key: str, programs: str, aws_authority: str) -> None:
    """Serve until killed."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    repository = Repository(
        images.AUTHENTICATOR_REFERENCES,
        lambda: private_image(Path(programs), Path(aws_authority)),
    )
    Server((address, PORT), repository, tls).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
