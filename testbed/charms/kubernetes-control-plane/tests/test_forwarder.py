"""The control plane's forwarder, with a real webhook behind it."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import forwarder
import webhook
from testbed.cluster import pki

AUTHORITY = pki.new_authority("webhook-ca")
NAME = "aws-iam-authenticator.kube-system.svc"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "t"}}
Ask = Callable[[webhook.Target], dict[str, Any]]


class Webhook(http.server.BaseHTTPRequestHandler):
    """Knows the bearer of every token, and notes who asks by which connection."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[int]] = set()

    def do_POST(self) -> None:
        self.connections.add(self.client_address[1])
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user = {"username": f"bearer of {review['spec']['token']}"}
        text = json.dumps({**review, "status": {"authenticated": True, "user": user}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A webhook whose certificate names the Service alone."""
    pair = tmp_path / "pair.pem"
    served = pki.issue(AUTHORITY, "webhook", sans=[NAME])
    pair.write_bytes(served.certificate_pem + served.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _serving(server):
        yield f"https://127.0.0.1:{server.server_port}/authenticate"


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Ask the forwarder, for a target, who the bearer of a token is."""
    monkeypatch.setattr(forwarder, "RENDERED", tmp_path / "auth-webhook.py")
    server = forwarder.Server(("127.0.0.1", 0), forwarder.Forwarder)
    with _serving(server):

        def ask(target: webhook.Target) -> dict[str, Any]:
            forwarder.RENDERED.write_text(webhook.rendered(target))
            address = f"http://127.0.0.1:{server.server_port}/"
            with urllib.request.urlopen(address, json.dumps(REVIEW).encode()) as answer:
                return json.loads(answer.read())["status"]

        yield ask


@contextlib.contextmanager
def _serving(server: http.server.HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_review_is_answered_by_whom_the_target_names(ask: Ask, url: str) -> None:
    status = ask(webhook.Target(url, NAME, AUTHORITY.certificate_pem.decode()))

    assert status == {"authenticated": True, "user": {"username": "bearer of t"}}


def test_every_review_has_a_connection_of_its_own(ask: Ask, url: str) -> None:
    Webhook.connections.clear()
    for _ in range(3):
        ask(webhook.Target(url, NAME, AUTHORITY.certificate_pem.decode()))

    assert len(Webhook.connections) == 3


def test_without_authorities_no_certificate_is_verified(ask: Ask, url: str) -> None:
    assert ask(webhook.Target(url))["authenticated"]


@pytest.mark.parametrize(
    ("name", "authority", "why"),
    [
        (NAME, pki.new_authority("another-ca"), "certificate verify failed"),
        ("another.svc", AUTHORITY, "Hostname mismatch"),
    ],
)
def test_a_certificate_that_does_not_fit_is_nobodys_word(
    ask: Ask, url: str, name: str, authority: pki.Pair, why: str
) -> None:
    status = ask(webhook.Target(url, name, authority.certificate_pem.decode()))

    assert not status["authenticated"]
    assert why in status["error"]


def test_where_nobody_is_to_be_asked_the_token_is_nobodys(ask: Ask) -> None:
    assert ask(webhook.Target()) == {"authenticated": False}


def test_where_nobody_answers_the_token_is_nobodys(ask: Ask) -> None:
    status = ask(webhook.Target("https://127.0.0.1:1/authenticate"))

    assert not status["authenticated"]
    assert "https://127.0.0.1:1/authenticate" in status["error"]
