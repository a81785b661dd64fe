# SPDX-License-Identifier: Apache-2.0

"""The client of the Kubernetes API, with client-go's verbs, and in bounded time.

Juju runs no other hook on the machine while one runs, and is sure of a leader for 30 s only. So no
request begins after `SECONDS`, and none lasts beyond `HOOK_SECONDS`.

lightkube reads the kubeconfig, opens the connection and knows where each kind is. The requests are
the charm's own, because `lightkube.Client` has no way to say how much time is left, splits logs at
more than their lines' ends, and raises other errors where a server answers in plain text.

Call its methods inside `cluster.errors.errors_as_status`.
"""

from __future__ import annotations

import contextlib
import functools
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from lightkube.core.resource import NamespacedResource, NamespacedSubResource, api_info
from lightkube.resources.core_v1 import PodLog
from lightkube.types import PatchType

from cluster import admin_kubeconfig, answers
from cluster.errors import ApiError, Conflict, suppress

T = TypeVar("T")
# An object as the server writes it. lightkube's types of the same objects cost a hook 25 ms.
Object = dict[str, Any]

MANAGER = "aws-iam"
_OURS = {"fieldManager": MANAGER}
# When the last request of a hook begins, and when its answer must be there.
SECONDS, HOOK_SECONDS = 24.0, 28.0
# How long one step of a request may take: to connect, or to receive some bytes. One object whose
# answer never comes leaves time for the others. Lists and questions may be slow, and so are
# objects that people's webhooks look at.
CONNECT_SECONDS, ANSWER_SECONDS, SLOW_SECONDS = 3.0, 4.0, 10.0
# Others may delete an object so that it waits until its dependents are gone, which may be never.
_WITHOUT_WAITING = {"propagationPolicy": "Background"}
_MINOR = re.compile(r"v(\d+)\.(\d+)")


def connect(admin: Path, seconds: float = HOOK_SECONDS) -> Client:
    """Return a client that uses the admin kubeconfig at ``admin``, for so many ``seconds``.

    Raises:
        errors.WaitingForKubeconfig: the file is missing, incomplete or unusable.
    """
    return Client(admin_kubeconfig.client(admin), seconds)


class Client:
    """Read and write objects, of which ``res`` is lightkube's class. Threads may share it."""

    def __init__(self, http: httpx2.Client, seconds: float = HOOK_SECONDS):
        self._http = http
        began = time.monotonic()
        self._until, self._ends = began + min(SECONDS, seconds), began + seconds

    @property
    def seconds_left(self) -> float:
        """Return for how long requests may still begin."""
        return self._until - time.monotonic()

    @functools.cached_property
    def version(self) -> tuple[int, int]:
        """Return the server's major and minor version; zeros if it names none."""
        answer = answers.decode(self.get_raw("/version").content, answers.Version)
        found = _MINOR.match(answer.git_version)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def get_raw(self, path: str) -> httpx2.Response:
        """Return the server's answer at ``path``, such as ``/version``."""
        return self._send("GET", path, seconds=SLOW_SECONDS)

    def get(self, res: type[Any], name: str, *, namespace: str | None = None) -> Object | None:
        """Return one object; None if there is none."""
        with suppress(404):
            return _decoded(self._send("GET", _path(res, namespace, name)))
        return None

    def list(
        self,
        res: type[Any],
        into: type[T],
        *,
        namespace: str | None = None,
        labels: str = "",
        fields: str = "",
        limit: str = "",
    ) -> Sequence[T]:
        """Return the objects of one kind, each as the msgspec type ``into``: of a namespace, or of
        all of them; no more than ``limit``, if that is given.

        ``labels`` and ``fields`` are selectors.
        """
        choices = {"labelSelector": labels, "fieldSelector": fields, "limit": limit}
        params = {key: text for key, text in choices.items() if text}
        answer = self._send("GET", _path(res, namespace), params=params, seconds=SLOW_SECONDS)
        return answers.decode(answer.content, answers.ObjectList[into]).items

    def ask(self, res: type[Any], spec: Mapping[str, Any], into: type[T]) -> T:
        """Send a question such as a SubjectAccessReview; return the answer as ``into``."""
        answer = self._send("POST", _path(res), {"spec": spec}, seconds=SLOW_SECONDS)
        return answers.decode(answer.content, into)

    def log(
        self, pod: str, *, container: str, namespace: str, lines: int, seconds: float
    ) -> bytes:
        """Return the newest ``lines`` that a pod's container logged, each behind its time and a
        space. No part of the answer may take longer than ``seconds``.

        A refusal may come from the pod's node.
        """
        params = {"container": container, "tailLines": str(lines), "timestamps": "true"}
        path = _path(PodLog, namespace, pod)
        return self._send("GET", path, params=params, seconds=seconds).content

    def create(
        self, res: type[Any], obj: Mapping[str, Any], *, namespace: str | None = None
    ) -> Object:
        """Create one object, and return it."""
        return _decoded(self._send("POST", _path(res, namespace), obj, params=_OURS))

    def apply(
        self, res: type[Any], name: str, obj: Mapping[str, Any], *, namespace: str | None = None
    ) -> Object:
        """Apply one object server-side, and return it as it is then. Take its fields from others
        that have set them."""
        path = _path(res, namespace, name)
        return _decoded(
            self._send(
                "PATCH",
                path,
                obj,
                params={"force": "true", **_OURS},
                headers={"Content-Type": PatchType.APPLY.value},
                seconds=SLOW_SECONDS,
            )
        )

    def patch(
        self,
        res: type[Any],
        name: str,
        change: Mapping[str, Any],
        *,
        namespace: str | None = None,
    ) -> Object:
        """Change one object by a merge patch, and return it as it is then."""
        headers = {"Content-Type": PatchType.MERGE.value}
        path = _path(res, namespace, name)
        return _decoded(self._send("PATCH", path, change, params=_OURS, headers=headers))

    def delete(
        self, res: type[Any], name: str, *, namespace: str | None = None, version: str = ""
    ) -> bool:
        """Delete one object, if there is one. Return whether a finalizer keeps it.

        Raise `errors.Conflict` if its resourceVersion is not ``version``, if that is given.
        """
        unchanged = {"preconditions": {"resourceVersion": version}} if version else {}
        options = {**unchanged, **_WITHOUT_WAITING}
        with suppress(404):
            answer = self._send("DELETE", _path(res, namespace, name), options)
            return bool(answers.decode(answer.content, answers.Dropped).metadata.finalizers)
        return False

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> httpx2.Response:
        """Send a request, and return its answer. One step of it may take ``seconds``.

        Raises:
            httpx2.TimeoutException: no request may begin any more, or the answer is late.
            errors.Conflict: the server refuses a write with 409.
            errors.ApiError: it is another refusal.
        """
        if self.seconds_left <= 0:
            raise httpx2.ConnectTimeout("no time is left for another request")
        left = self._ends - time.monotonic()
        request = self._http.build_request(
            method,
            path,
            params=params,
            headers=headers,
            json=body,
            timeout=httpx2.Timeout(min(seconds, left), connect=min(CONNECT_SECONDS, left)),
        )
        with contextlib.closing(self._http.send(request, stream=True)) as answer:
            if isinstance(answer.stream, httpx2.SyncByteStream):
                answer.stream = _InTime(answer.stream, self._ends)
            answer.read()
        if answer.is_success:
            return answer
        code, said = answer.status_code, answers.reason(answer.content)
        reason = said or answer.reason_phrase
        if code == 409 and method != "GET":
            raise Conflict(reason)
        raise ApiError(code, reason, is_kubernetes=bool(said))


class _InTime(httpx2.SyncByteStream):
    """The body of an answer, of which a part may come every few seconds, for ever."""

    def __init__(self, body: httpx2.SyncByteStream, ends: float):
        self._body, self._ends = body, ends

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            if time.monotonic() > self._ends:
                raise httpx2.ReadTimeout("the answer does not end")
            yield part

    def close(self) -> None:
        self._body.close()


def _path(res: type[Any], namespace: str | None = None, name: str = "") -> str:
    """Return where a kind is: of a namespace or of all, or one object of it, or a part of that."""
    info = api_info(res)
    kind = info.parent or info.resource
    where = ("apis", kind.group, kind.version) if kind.group else ("api", kind.version)
    is_namespaced = issubclass(res, (NamespacedResource, NamespacedSubResource))
    inside = ("namespaces", namespace) if namespace and is_namespaced else ()
    return "/" + "/".join(filter(None, (*where, *inside, info.plural, name, info.action)))


def _decoded(answer: httpx2.Response) -> Object:
    return answers.decode(answer.content, dict[str, Any])
