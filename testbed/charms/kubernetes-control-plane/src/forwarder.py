"""The control plane's own webhook: takes kube-apiserver's token reviews, and passes each on over
a connection of its own, as the original's does.

Who is asked, and whom to trust, is in `auth-webhook.py` beside it, which is read for every review.
Standard library only: the machine's own python3 runs it.
"""

from __future__ import annotations

import http.client
import http.server
import json
import runpy
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

ADDRESS = ("127.0.0.1", 5000)
RENDERED = Path(__file__).with_name("auth-webhook.py")
SECONDS = 10


class Forwarder(http.server.BaseHTTPRequestHandler):
    """One token review."""

    # Headers and body go one after the other: the second must not wait for the first's receipt.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer as whoever is asked does; nobody's token where nobody answers."""
        review = self.rfile.read(int(self.headers["Content-Length"]))
        target = runpy.run_path(str(RENDERED))
        try:
            code, text = _ask(target, review) if target["url"] else (200, _denial(review, ""))
        except (OSError, http.client.HTTPException) as error:
            self.log_error("%s: %s", target["url"], error)
            code, text = 200, _denial(review, f"{target['url']}: {error}")
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what went well."""


def _ask(target: dict[str, str], review: bytes) -> tuple[int, bytes]:
    url = urlsplit(target["url"])
    host, port = url.hostname or "", url.port or 443
    plain = socket.create_connection((host, port), timeout=SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = http.client.HTTPConnection(host, port)
    with _context(target["authorities"]).wrap_socket(
        plain, server_hostname=target["server_name"] or host
    ) as connection.sock:
        connection.request("POST", url.path, review, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def _context(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authorities or None)
    # As kube-apiserver, which does not ask authorities for the extensions that this asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not authorities:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _denial(review: bytes, error: str) -> bytes:
    asked = json.loads(review)
    status = {"authenticated": False, **({"error": error} if error else {})}
    kinds = {key: asked[key] for key in ("apiVersion", "kind")}
    return json.dumps({**kinds, "status": status}).encode()


class Server(http.server.ThreadingHTTPServer):
    """As many at once as there are."""

    request_queue_size = 128


if __name__ == "__main__":
    Server(ADDRESS, Forwarder).serve_forever()
