"""How an API server answers, refuses, or is not there at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import httpx2

# None is to answer as usual.
Answer = Callable[[httpx2.Request], httpx2.Response | None]


@dataclasses.dataclass
class Fault:
    """What goes wrong with a request, by its method and path; with every request where none is
    named, and with the nth one only where ``nth`` is not 0."""

    answer: Answer
    request: str
    nth: int
    met: int = 0

    def meets(self, request: httpx2.Request) -> bool:
        """Whether it goes wrong with this request, which is counted then."""
        if self.request not in ("", f"{request.method} {request.url.path}"):
            return False
        self.met += 1
        return self.nth in (0, self.met)


def ok(body: Any) -> httpx2.Response:
    return httpx2.Response(200, json=body)


def refused(code: int, message: str) -> httpx2.Response:
    """As the API server refuses."""
    status = {"kind": "Status", "status": "Failure", "message": message, "code": code}
    return httpx2.Response(code, json=status)


def refusal(code: int, message: str) -> Answer:
    """To refuse whatever is asked."""
    return lambda _: refused(code, message)


def answer(code: int, content: bytes, content_type: str | None = "application/json") -> Answer:
    """An answer of something else that stands in the API server's place."""
    headers = {"Content-Type": content_type} if content_type else {}
    return lambda _: httpx2.Response(code, content=content, headers=headers)


def unreachable(error: type[httpx2.RequestError]) -> Answer:
    """No answer at all."""

    def raises(request: httpx2.Request) -> httpx2.Response:
        raise error("[Errno 111] Connection refused", request=request)

    return raises


# What is tried with every single request.
COMMON: dict[str, Answer] = {
    "connection refused": unreachable(httpx2.ConnectError),
    "read timeout": unreachable(httpx2.ReadTimeout),
    "401": refusal(401, "Unauthorized"),
    "403": refusal(403, 'services "aws-iam-authenticator" is forbidden: User "a" cannot get it'),
    "404": refusal(404, 'namespaces "kube-system" not found'),
    "409": refusal(409, "the object has been modified"),
    "422": refusal(422, "spec: Invalid value"),
    "429": refusal(429, "too many requests"),
    "500": refusal(500, "etcdserver: request timed out"),
    "html 502 without content type": answer(502, b"<html>Bad Gateway</html>", None),
}
# Everything else that was ever seen to go wrong on the way to an API server, and back.
REFUSALS: dict[str, Answer] = {
    **COMMON,
    "connect timeout": unreachable(httpx2.ConnectTimeout),
    "connection reset": unreachable(httpx2.ReadError),
    "protocol error": unreachable(httpx2.RemoteProtocolError),
    "404 plain": answer(404, b"404 page not found\n", "text/plain"),
    "503": answer(503, b"apiserver not ready", "text/plain"),
    "half json of a refusal": answer(403, b'{"kind": "Sta'),
    "list of a refusal": answer(500, b"[]"),
    "text of a refusal": answer(500, b'"oops"'),
    "refusal without a code": answer(500, b"{}"),
    "refusal with an odd code": answer(500, b'{"code": "five", "message": 5}'),
}
# What something else says that answers in the API server's place, as if all were well.
NONSENSE: dict[str, Answer] = {
    "html": answer(200, b"<html>Log in to this network</html>", "text/html"),
    "half json": answer(200, b'{"kind": "Serv'),
    "empty object": answer(200, b"{}"),
    "empty body": answer(200, b""),
    "list for an object": answer(200, b"[]"),
    "null": answer(200, b"null"),
    "no text": answer(200, b"\xff\xfe"),
}
FAULTS = {**REFUSALS, **NONSENSE}
COMMON["half json"] = NONSENSE["half json"]
