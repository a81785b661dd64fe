"""The control plane's forwarder, with a real webhook behind it."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import forwarder
import tokens
import webhook
from testbed.cluster import pki

AUTHORITY = pki.new_authority("webhook-ca")
NAME = "aws-iam-authenticator.kube-system.svc"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "t"}}
NOBODY = "https://127.0.0.1:1/authenticate"
TRUST = webhook.Trust(AUTHORITY.certificate_pem.decode(), NAME)
ANSWERS: dict[str, object] = {
    "t": {"authenticated": True, "user": {"username": "bearer of t"}},
    "refused": {"user": {}},
    "said to be nobody's": {"authenticated": False},
    "no status": None,
}
Ask = Callable[..., tuple[int, Any]]


class Webhook(http.server.BaseHTTPRequestHandler):
    """Answers by `ANSWERS`, and notes who asks by which connection, and for what."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[list[int]] = []
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.connections.append(self.client_address[1])
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = review["spec"]["token"]
        self.asked.append(token)
        text = json.dumps({**review, "status": ANSWERS[token]}).encode()
        self.send_response(403 if token == "refused" else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class WebhookServer(http.server.ThreadingHTTPServer):
    """Notes who connects, before any handshake."""

    callers: ClassVar[list[int]] = []

    def get_request(self) -> tuple[Any, Any]:
        connection, caller = self.socket.accept()
        self.callers.append(caller[1])
        return self.context.wrap_socket(connection, server_side=True), caller

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__(("127.0.0.1", 0), Webhook)


@pytest.fixture(params=[NAME])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A webhook whose certificate names the Service alone, unless a test says another name."""
    pair = tmp_path / "pair.pem"
    served = pki.issue(AUTHORITY, "webhook", sans=[request.param])
    pair.write_bytes(served.certificate_pem + served.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    for noted in (Webhook.connections, Webhook.asked, WebhookServer.callers):
        noted.clear()
    with _serving(server := WebhookServer(context)):
        yield f"https://127.0.0.1:{server.server_port}/authenticate"


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask the forwarder who the bearer of a token is; return its code and its answer's status."""
    folder = tmp_path / "auth-webhook"
    folder.mkdir()

    def ask(
        url: str = "", *, custom: str = "", trust: webhook.Trust | None = None, token: str = "t"
    ) -> tuple[int, Any]:
        rendered = webhook.rendered(aws_iam=url, custom=custom)
        (folder / "auth-webhook.py").write_text(rendered)
        (folder / "trust.json").write_text(webhook.trusted(trust))
        server = forwarder.Server(("127.0.0.1", 0), folder)
        with _serving(server):
            address = f"http://127.0.0.1:{server.server_port}/"
            return _review(address, token)

    return ask


def _review(address: str, token: str) -> tuple[int, Any]:
    review = json.dumps({**REVIEW, "spec": {"token": token}}).encode()
    try:
        with urllib.request.urlopen(address, review) as answer:
            return answer.status, json.loads(answer.read()).get("status")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@contextlib.contextmanager
def _serving(server: http.server.HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("trust", [None, TRUST])
def test_a_review_is_answered_by_whom_the_url_names(
    ask: Ask, url: str, trust: webhook.Trust | None
) -> None:
    assert ask(url, trust=trust) == (200, ANSWERS["t"])


def test_a_certificate_that_the_trust_names_itself_needs_no_authority(
    ask: Ask, url: str, tmp_path: Path
) -> None:
    leaf, _, _ = (tmp_path / "pair.pem").read_text().partition("-----BEGIN PRIVATE KEY")

    assert ask(url, trust=webhook.Trust(leaf, NAME)) == (200, ANSWERS["t"])


def test_every_review_has_a_connection_of_its_own(ask: Ask, url: str) -> None:
    for _ in range(3):
        ask(url, trust=TRUST)

    assert len(set(Webhook.connections)) == 3


def test_as_in_the_original_a_connection_is_kept_and_closed_when_it_was_idle_for_two_seconds(
    url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "auth-webhook"
    folder.mkdir()
    (folder / "auth-webhook.py").write_text(webhook.rendered(aws_iam=url, custom=""))
    (folder / "trust.json").write_text(webhook.trusted(TRUST))
    server = forwarder.Server(("127.0.0.1", 0), folder)
    with _serving(server):
        api_server = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        for _ in range(2):
            api_server.request("POST", "/", json.dumps(REVIEW))
            assert api_server.getresponse().read()
        connection = api_server.sock
        began = time.monotonic()

        assert connection is not None
        assert connection.recv(1) == b""
        assert 1.5 < time.monotonic() - began < 6
        api_server.close()


@pytest.mark.parametrize(("url", "connections"), [("127.0.0.1", 1), (NAME, 2)], indirect=["url"])
def test_a_certificate_is_verified_by_what_the_machine_trusts_and_then_no_more(
    ask: Ask, url: str, connections: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(AUTHORITY.certificate_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    assert ask(url) == (200, ANSWERS["t"])
    assert len(WebhookServer.callers) == connections
    assert Webhook.connections == WebhookServer.callers[-1:]


def test_the_second_url_is_asked_where_the_first_does_not_know_the_token(
    ask: Ask, url: str
) -> None:
    assert ask(NOBODY, custom=url) == (200, ANSWERS["t"])


def test_as_in_the_original_a_refusal_by_the_authenticator_is_an_internal_error(
    ask: Ask, url: str
) -> None:
    code, text = ask(url, token="refused")

    assert code == 500
    assert text.startswith("500 Internal Server Error")


@pytest.mark.parametrize("token", ["said to be nobody's", "no status"])
def test_as_in_the_original_other_answers_are_a_clean_refusal(
    ask: Ask, url: str, token: str
) -> None:
    assert ask(url, token=token) == (200, {"authenticated": False})


def test_as_in_the_original_nobodys_answer_is_a_clean_refusal(ask: Ask) -> None:
    assert ask(NOBODY) == (200, {"authenticated": False})


def test_the_control_planes_own_tokens_are_known_and_go_to_nobody_else(
    ask: Ask, url: str, tmp_path: Path
) -> None:
    token = tokens.admin("key")
    (tmp_path / "known_tokens.csv").write_text(tokens.known(token))

    code, status = ask(url, token=token)

    user = {"username": "admin", "uid": "admin", "groups": ["system:masters"]}
    assert (code, status) == (200, {"authenticated": True, "user": user})
    assert Webhook.asked == []
    assert ask(url) == (200, ANSWERS["t"])


def test_with_trust_a_refusal_is_passed_on_as_it_is(ask: Ask, url: str) -> None:
    code, text = ask(url, trust=TRUST, token="refused")

    assert code == 403
    assert json.loads(text)["status"] == ANSWERS["refused"]


@pytest.mark.parametrize(
    ("name", "authority", "why"),
    [
        (NAME, pki.new_authority("another-ca"), "certificate verify failed"),
        ("another.svc", AUTHORITY, "Hostname mismatch"),
    ],
)
def test_with_trust_a_certificate_that_does_not_fit_is_nobodys_word(
    ask: Ask, url: str, name: str, authority: pki.Pair, why: str
) -> None:
    trust = webhook.Trust(authority.certificate_pem.decode(), name)

    code, status = ask(url, trust=trust)

    assert code == 200
    assert not status["authenticated"]
    assert why in status["error"]
    assert Webhook.asked == []


def test_with_trust_a_failure_is_said(ask: Ask) -> None:
    _, status = ask(NOBODY, trust=TRUST)

    assert not status["authenticated"]
    assert NOBODY in status["error"]


@pytest.mark.parametrize("trust", [None, TRUST])
def test_where_nobody_is_to_be_asked_the_token_is_nobodys(
    ask: Ask, trust: webhook.Trust | None
) -> None:
    assert ask(trust=trust) == (200, {"authenticated": False})
