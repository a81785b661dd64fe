"""Ask an API server over a connection that stays."""

from __future__ import annotations

import http.client
import json

from tests.integration.helpers.load.servers import Server

_SECONDS = 60.0


def connect(server: Server, seconds: float = _SECONDS) -> http.client.HTTPSConnection:
    """Return a connection, which opens with its first request, and again after `close`."""
    return http.client.HTTPSConnection(
        server.host, server.port, context=server.context, timeout=seconds
    )


def ask(connection: http.client.HTTPSConnection, method: str, path: str, body: object) -> str:
    """Return the text of an answer.

    Raises:
        OSError, http.client.HTTPException: no answer came. This closes the connection.
        RuntimeError: the server answers with an error.
    """
    headers = {"Content-Type": "application/json"}
    if method == "PATCH":
        headers["Content-Type"] = "application/merge-patch+json"
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (OSError, http.client.HTTPException):
        connection.close()
        raise
    if answer.status not in (http.client.OK, http.client.CREATED):
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
    return text
