"""Ask API servers for token reviews, and note when each of them was down."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import ssl
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import yaml

_SECONDS = 15.0
_PROBE_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Server:
    """An API server, and an administrator's certificate or token to ask it with."""

    host: str
    port: int
    context: ssl.SSLContext
    token: str = ""

    def review(self, token: str) -> str:
        """Return the user name of a token, or the error that the review gives.

        Raises:
            OSError, http.client.HTTPException: there was no answer.
            ValueError: the answer is not a review.
        """
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token},
        }
        code, text = self._ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)
        if code != http.client.CREATED:
            raise ValueError(f"{code} {text[:300]}")
        status = json.loads(text)["status"]
        return status.get("user", {}).get("username", "") or str(status.get("error", ""))[:300]

    def is_ready(self) -> bool:
        try:
            return self._ask("GET", "/readyz", None)[0] == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def _ask(self, method: str, path: str, body: object) -> tuple[int, str]:
        connection = http.client.HTTPSConnection(
            self.host, self.port, context=self.context, timeout=_SECONDS
        )
        try:
            payload, headers = (
                json.dumps(body) if body else None,
                {"Content-Type": "application/json"},
            )
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            connection.request(method, path, payload, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def server(admin: Path, host: str) -> Server:
    """Return the API server on ``host``, with the keys of an administrator's kubeconfig."""
    config = yaml.safe_load(admin.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
    token = user.get("token", "")
    if not token:
        keys = _decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"])
        with tempfile.NamedTemporaryFile("w") as pair:
            pair.write(keys)
            pair.flush()
            context.load_cert_chain(pair.name)
    return Server(host, urlsplit(cluster["server"]).port or 443, context, token)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode() + "\n"


class Watch:
    """Outages of an API server: each from the last good answer before to the first one after."""

    def __init__(self, watched: Server) -> None:
        self._watched = watched
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._last_ready = time.monotonic()
        self.outages: list[tuple[float, float]] = []

    def was_down(self, start: float, end: float) -> bool:
        """Return whether it was down at any moment between the two."""
        return any(down < end and start < up for down, up in self.outages)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        down_since: float | None = None
        while not self._over.wait(_PROBE_SECONDS):
            asked = time.monotonic()
            if not self._watched.is_ready():
                down_since = down_since or self._last_ready
                continue
            if down_since is not None:
                self.outages.append((down_since, time.monotonic()))
            down_since, self._last_ready = None, asked
        if down_since is not None:
            self.outages.append((down_since, float("inf")))
