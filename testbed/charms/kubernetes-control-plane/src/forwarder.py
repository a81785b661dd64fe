"""The control plane's own webhook: takes kube-apiserver's token reviews, knows the control plane's
own tokens, and passes every other review on over a connection of its own, as the original's does.

It reads `auth-webhook.py`, which says whom to ask, once, when it starts. It reads the known tokens
and `trust.json` for every review. Without trust it does as the original; with it, it is stricter.
Standard library only: the machine's own python3 runs it.
"""

from __future__ import annotations

import csv
import functools
import http.client
import http.server
import json
import runpy
import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ADDRESS = ("127.0.0.1", 5000)
FOLDER = Path(__file__).parent
SECONDS = 10

_TOKEN_FIELDS = ("token", "username", "user", "groups")
_REFUSED = {"authenticated": False}
_TROUBLE = b"500 Internal Server Error\n\nServer got itself in trouble"

Answer = tuple[int, bytes]


class Server(http.server.ThreadingHTTPServer):
    """As many reviews at once as there are. `folder` holds what it reads."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], folder: Path) -> None:
        self.trust = folder / "trust.json"
        self.known_tokens = folder.parent / "known_tokens.csv"
        rendered = runpy.run_path(str(folder / "auth-webhook.py"))
        endpoints = (rendered["AWS_IAM_ENDPOINT"], rendered["CUSTOM_AUTHN_ENDPOINT"])
        self.urls = [url for url in endpoints if url]
        super().__init__(address, Forwarder)


class Forwarder(http.server.BaseHTTPRequestHandler):
    """One token review."""

    # The original's web server, gunicorn, keeps a connection, and closes it when it was idle for 2
    # seconds. A review that arrives just then is lost.
    protocol_version = "HTTP/1.1"
    timeout = 2
    # Headers and body go one after the other: the second must not wait for the first's receipt.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer by the known tokens, or as whoever is asked does."""
        assert isinstance(self.server, Server)
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        trust = json.loads(self.server.trust.read_text())
        if user := _known(self.server.known_tokens, review["spec"]["token"]):
            code, text = _answer(review, {"authenticated": True, "user": user})
        elif trust:
            code, text = _ask_strictly(self.server.urls, trust, review)
        else:
            code, text = _ask_as_the_original(self.server.urls, review)
        self.send_response(code)
        self.send_header("Content-Type", "application/json" if code == 200 else "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002  (the inherited name)
        """Say nothing of a connection that nobody used any more."""
        if not any(isinstance(each, TimeoutError) for each in args):
            super().log_error(format, *args)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what went well."""


def _known(tokens: Path, token: str) -> dict[str, Any] | None:
    """Return the user whom the control plane gave this token itself."""
    if not tokens.exists():
        return None
    with tokens.open(newline="") as file:
        found = {row["token"]: row for row in csv.DictReader(file, _TOKEN_FIELDS)}
    if not (row := found.get(token)):
        return None
    groups = (row["groups"] or "").split(",")
    return {"username": row["username"], "uid": row["user"], "groups": groups}


def _ask_as_the_original(urls: Sequence[str], review: dict[str, Any]) -> Answer:
    """Return what the first to know the token says of it.

    The authenticator refuses by a status without `authenticated`. The original looks that up
    without asking whether it is there, so that its web server answers 500.
    """
    for url in urls:
        try:
            status = json.loads(_post_as_the_original(url, review))["status"]
            authenticated = status.get("authenticated")
        except (OSError, http.client.HTTPException, ValueError, KeyError, AttributeError) as error:
            _log(f"{url}: {error!r}")
            continue
        if authenticated is None:
            _log(f"{url}: KeyError('authenticated')")
            return 500, _TROUBLE
        if authenticated:
            return _answer(review, status)
    return _answer(review, _REFUSED)


def _post_as_the_original(url: str, review: Mapping[str, Any]) -> bytes:
    try:
        _, text = _post(url, review, _machines_trust())
    except ssl.SSLError:
        _log(f"{url}: SSLError with server; skipping cert validation")
        unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        _, text = _post(url, review, unverified)
    return text


def _machines_trust() -> ssl.SSLContext:
    """Return the machine's authorities. The original, too, does not read them for each review."""
    file = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs")
    return _read_trust(file, file.stat().st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _read_trust(file: Path, changed: int) -> ssl.SSLContext:
    return ssl.create_default_context()


def _ask_strictly(urls: Sequence[str], trust: Mapping[str, str], review: dict[str, Any]) -> Answer:
    """Return the answer of whoever is asked, as it is: an API server would see the same."""
    for url in urls:
        try:
            context = ssl.create_default_context(cadata=trust["authorities"])
            # kube-apiserver does not ask authorities for the extensions that this asks for.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            # Where the file names the webhook's own certificate, that needs no authority.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            return _post(url, review, context, trust["server_name"])
        except (OSError, http.client.HTTPException) as error:
            _log(f"{url}: {error}")
            return _answer(review, {**_REFUSED, "error": f"{url}: {error}"})
    return _answer(review, _REFUSED)


def _post(
    url: str, review: Mapping[str, Any], context: ssl.SSLContext, server_name: str = ""
) -> Answer:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    plain = socket.create_connection((host, port), timeout=SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = http.client.HTTPConnection(host, port)
    with context.wrap_socket(plain, server_hostname=server_name or host) as connection.sock:
        body, headers = json.dumps(review), {"Content-Type": "application/json"}
        connection.request("POST", parts.path or "/", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _answer(review: Mapping[str, Any], status: Mapping[str, Any]) -> Answer:
    return 200, json.dumps({**review, "status": status}).encode()


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    Server(ADDRESS, FOLDER).serve_forever()
