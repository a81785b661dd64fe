"""The proxy between pods and AWS: it demands credentials and opens TLS."""

from __future__ import annotations

import base64
import http.client
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from testbed.cluster import pki
from testbed.connectproxy import ConnectProxy

PROXY_CA = pki.new_authority("proxy")
SERVER_CA = pki.new_authority("server")


class Echo(http.server.BaseHTTPRequestHandler):
    """Answer with what was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        answer = f"{self.path} {self.headers['Host']} {self.headers['x-k8s-aws-id']}".encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        return


def trusting(authority: pki.Pair) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.certificate_pem.decode())


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Return the port of an HTTPS server behind the proxy."""
    pair = pki.issue(SERVER_CA, "server", sans=["localhost"])
    (tmp_path / "pair.pem").write_bytes(pair.key_pem + pair.certificate_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    server = http.server.ThreadingHTTPServer(("localhost", 0), Echo)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy("127.0.0.1", PROXY_CA, trusting(SERVER_CA)) as proxy:
        yield proxy


def connect(
    proxy: ConnectProxy, port: int, authority: pki.Pair = PROXY_CA, password: str | None = None
) -> http.client.HTTPSConnection:
    """Return a connection to the server through the proxy, as a client of HTTPS_PROXY makes it."""
    url = urlsplit(proxy.url)
    credentials = f"{url.username}:{url.password if password is None else password}"
    headers = {"Proxy-Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
    connection = http.client.HTTPSConnection(
        url.hostname or "", url.port, timeout=10, context=trusting(authority)
    )
    connection.set_tunnel("localhost", port, headers)
    return connection


def test_requests_reach_the_server_as_they_are(proxy: ConnectProxy, port: int) -> None:
    connection = connect(proxy, port)
    for path in ("/?X-Amz-Signature=1", "/two"):
        connection.request("GET", path, headers={"x-k8s-aws-id": "prod"})
        response = connection.getresponse()

        assert response.status == 403
        assert response.read().decode() == f"{path} localhost:{port} prod"
    connection.close()
    assert proxy.seen.asked == [f"localhost:{port}"]
    assert proxy.seen.requests == ["GET /", "GET /two"]
    assert proxy.seen.refused == []


def test_a_wrong_password_is_refused(proxy: ConnectProxy, port: int) -> None:
    with pytest.raises(OSError, match="407"):
        connect(proxy, port, password="wrong").request("GET", "/")

    assert proxy.seen.refused == [f"localhost:{port}"]
    assert proxy.seen.requests == []


def test_a_client_that_does_not_trust_the_proxys_authority_gives_up(
    proxy: ConnectProxy, port: int
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(proxy, port, SERVER_CA).request("GET", "/")

    assert proxy.seen.requests == []
