# SPDX-License-Identifier: Apache-2.0

"""The client of the Kubernetes API, with client-go's verbs, and in bounded time.

Juju runs no other hook on the machine while one runs, and is sure of a leader for 30 s only. So a
client begins no request after `REQUEST_SECONDS`, and its methods raise `errors.Waiting` then. A
small write may begin until `LAST_WRITE_SECONDS`, and several threads may make some at a time; its
caller looks at the time.

Call its methods inside `cluster.errors.errors_as_status`.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import lightkube
from lightkube.core.resource import NamespacedResourceG
from lightkube.resources.core_v1 import PodLog
from lightkube.types import PatchType

from cluster import admin_kubeconfig, answers
from cluster.errors import ApiError, Conflict, suppress
from errors import Waiting
from statuses import waiting

T = TypeVar("T")
# An object as the server writes it. lightkube's types of the same objects cost a hook 25 ms.
Object = dict[str, Any]

MANAGER = "aws-iam"
# The last request begins after 20 s, and has 8.
REQUEST_SECONDS = 20.0
# Thousands of small writes may follow each other. The last begins after 26 s, and has 2.
LAST_WRITE_SECONDS, HOOK_SECONDS = 26.0, 28.0
# How long one step of a request may take: to connect, or to receive some bytes.
CONNECT_SECONDS, ANSWER_SECONDS, WRITE_SECONDS = 3.0, 10.0, 4.0
# Without a resourceVersion, servers before 1.31 read each object of a list from etcd.
_IN_MEMORY = {"resourceVersion": "0"}
# Compression costs more than it saves, because the API server is on this machine.
_UNCOMPRESSED = {"Accept-Encoding": "identity"}
_AS_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io", **_UNCOMPRESSED}
# Others may delete an object so that it waits until its dependents are gone, which may be never.
_WITHOUT_WAITING = {"propagationPolicy": "Background"}
_MINOR = re.compile(r"v(\d+)\.(\d+)")


def connect(admin: Path, seconds: float = HOOK_SECONDS) -> Client:
    """Return a client that uses the admin kubeconfig at ``admin``, for so many ``seconds``.

    Raises:
        errors.WaitingForKubeconfig: the file is missing, incomplete or unusable.
    """
    return Client(admin_kubeconfig.client(admin, MANAGER), seconds)


class Client:
    """Read and write objects, of which ``res`` is lightkube's class."""

    def __init__(self, client: lightkube.Client, seconds: float = HOOK_SECONDS):
        # lightkube's own types leave most of its arguments open.
        self._client: Any = client
        self._began = time.monotonic()
        self._ends = self._began + seconds
        self._seconds = min(REQUEST_SECONDS, seconds)

    def prolong(self) -> None:
        """Let requests begin until `LAST_WRITE_SECONDS`: small ones, which are the hook's last."""
        self._seconds = LAST_WRITE_SECONDS

    @property
    def seconds_left(self) -> float:
        """Return for how long requests may still begin."""
        return self._began + self._seconds - time.monotonic()

    @property
    def seconds_left_to_write(self) -> float:
        """Return for how long small writes may still begin."""
        return self._began + LAST_WRITE_SECONDS - time.monotonic()

    @functools.cached_property
    def version(self) -> tuple[int, int]:
        """Return the server's major and minor version; zeros if it names none."""
        answer = answers.decode(self.get_raw("/version").content, answers.Version)
        found = _MINOR.match(answer.git_version)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def get_raw(self, path: str) -> httpx2.Response:
        """Return the server's answer at ``path``, such as ``/version``."""
        self._check_time()
        return self._checked(self._http.get(path, headers=_UNCOMPRESSED, timeout=self._timeout()))

    def post(self, path: str, obj: Mapping[str, Any]) -> None:
        """Create an object in a namespace, where lightkube sends no plain map: a small write."""
        timeout = self._timeout(WRITE_SECONDS)
        self._checked(self._http.post(path, json=obj, headers=_UNCOMPRESSED, timeout=timeout))

    def get(
        self, res: type[Any], name: str, *, namespace: str | None = None, small: bool = False
    ) -> Object | None:
        """Return one object; None if there is none. ``small`` makes it part of a small write."""
        with suppress(404):
            return _decoded(self._send("get", res, small=small, name=name, namespace=namespace))
        return None

    def list(
        self,
        res: type[Any],
        into: type[T],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        newest: bool = False,
    ) -> Sequence[T]:
        """Return the objects of one kind, each as the msgspec type ``into``: of a namespace, or of
        all of them.

        ``labels`` and ``fields`` are selectors. The list is what the server has in memory, which
        may be moments old, unless ``newest`` asks for what is stored.
        """
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        params = {key: text for key, text in selectors.items() if text}
        is_namespaced = issubclass(res, NamespacedResourceG)
        answer = self._send(
            "list",
            res,
            namespace=namespace or ("*" if is_namespaced else None),
            params={**params, **({} if newest else _IN_MEMORY)},
            headers=_UNCOMPRESSED,
        )
        return answers.decode(answer.content, answers.ObjectList[into]).items

    def table(self, res: type[Any], *, newest: bool = False) -> list[dict[str, str | None]]:
        """Return the table that `kubectl get` prints of one kind: each row's cells by column.

        Of ten thousand objects, it takes the server less than half the work that a list takes,
        and is a tenth of the size. It is what the server has in memory, which may be moments old,
        unless ``newest`` asks for what is stored.
        """
        params = {"includeObject": "None", **({} if newest else _IN_MEMORY)}
        answer = self._send("list", res, params=params, headers=_AS_TABLE)
        table = answers.decode(answer.content, answers.Table)
        columns = [column.name for column in table.column_definitions]
        return [dict(zip(columns, row.cells, strict=True)) for row in table.rows]

    def ask(self, res: type[Any], spec: Mapping[str, Any], into: type[T]) -> T:
        """Send a question such as a SubjectAccessReview; return the answer as ``into``."""
        return answers.decode(self._send("post", res, obj={"spec": spec}).content, into)

    def log(
        self,
        pod: str,
        *,
        container: str,
        namespace: str,
        lines: int,
        size: int,
        seconds: float,
    ) -> bytes:
        """Return what a pod's container logged, each line behind its time and a space.

        These are its newest ``lines``, and of them the first ``size`` bytes. No part of the answer
        may take longer than ``seconds``.

        A refusal may come from the pod's node.
        """
        self._check_time()
        params = {
            "container": container,
            "tailLines": lines,
            "limitBytes": size,
            "timestamps": "true",
        }
        answer = self._answer(
            "get", PodLog, seconds=seconds, name=pod, namespace=namespace, params=params
        )
        return self._checked(answer).content

    def create(self, res: type[Any], obj: Mapping[str, Any]) -> Object:
        """Create one mapping, and return it: a small write."""
        return _decoded(self._send("post", res, small=True, obj=obj))

    def update(self, res: type[Any], name: str, obj: Mapping[str, Any]) -> None:
        """Replace one object, unless it has changed: a small write."""
        self._send("put", res, small=True, obj=obj, name=name)

    def apply(
        self, res: type[Any], name: str, obj: Mapping[str, Any], *, namespace: str | None = None
    ) -> Object:
        """Apply one object server-side, and return it as it is then. Take its fields from others
        that have set them."""
        where = {"name": name, "namespace": namespace}
        return self._patch(res, PatchType.APPLY, obj, **where, params={"force": "true"})

    def patch(
        self,
        res: type[Any],
        name: str,
        change: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        namespace: str | None = None,
        small: bool = False,
    ) -> Object:
        """Change one object by a merge patch, or by a list that is a JSON patch, and return it as
        it is then. ``small`` makes it a small write."""
        patch_type = PatchType.MERGE if isinstance(change, Mapping) else PatchType.JSON
        return self._patch(res, patch_type, change, name=name, namespace=namespace, small=small)

    def _patch(self, res: type[Any], patch_type: PatchType, obj: Any, **request: Any) -> Object:
        headers = {"Content-Type": patch_type.value}
        return _decoded(self._send("patch", res, obj=obj, headers=headers, **request))

    def delete(
        self,
        res: type[Any],
        name: str,
        *,
        namespace: str | None = None,
        version: str = "",
        small: bool = False,
    ) -> bool:
        """Delete one object, if there is one. ``small`` makes it a small write.

        Return whether a finalizer keeps it.

        Raise `errors.Conflict` if its resourceVersion is not ``version``, if that is given.
        """
        unchanged = {"preconditions": {"resourceVersion": version}} if version else {}
        options = {**unchanged, **_WITHOUT_WAITING}
        with suppress(404):
            response = self._send(
                "delete", res, small=small, data=options, name=name, namespace=namespace
            )
            return bool(answers.decode(response.content, answers.Dropped).metadata.finalizers)
        return False

    def _send(
        self, method: str, res: type[Any], *, small: bool = False, **request: Any
    ) -> httpx2.Response:
        """Send a request as `_answer` does. Raise if the server refuses it."""
        if not small:
            self._check_time()
        seconds = WRITE_SECONDS if small else ANSWER_SECONDS
        return self._checked(self._answer(method, res, seconds=seconds, **request))

    def _answer(
        self,
        method: str,
        res: type[Any],
        *,
        seconds: float,
        data: Mapping[str, Any] | None = None,
        **request: Any,
    ) -> httpx2.Response:
        """Send a request that no method of `lightkube.Client` can: these set no headers, no
        time-out of their own and no body of a deletion. One step of it may take ``seconds``."""
        prepared = self._generic.prepare_request(method, res, **request)
        prepared.timeout = self._timeout(seconds)
        if data is not None:
            prepared.data = data
        return self._generic.send(self._generic.build_adapter_request(prepared))

    def _checked(self, response: httpx2.Response) -> httpx2.Response:
        """Return an answer.

        Raises:
            errors.Conflict: it refuses a write with 409.
            errors.ApiError: it is another refusal.
        """
        if response.is_success:
            return response
        code, said = response.status_code, answers.reason(response.content)
        reason = said or response.reason_phrase
        if code == 409 and response.request.method != "GET":
            raise Conflict(reason)
        raise ApiError(code, reason, is_kubernetes=bool(said))

    def _check_time(self) -> None:
        """Raise `errors.Waiting` if no request may begin any more."""
        if self.seconds_left <= 0:
            raise Waiting(waiting.API_LATE())

    def _timeout(self, seconds: float = ANSWER_SECONDS) -> httpx2.Timeout:
        """Return the time-out for each step of a request: all ends with the hook's time."""
        left = max(0.001, self._ends - time.monotonic())
        return httpx2.Timeout(min(seconds, left), connect=min(CONNECT_SECONDS, left))

    @property
    def _generic(self) -> Any:
        """Return what `lightkube.Client` builds on."""
        return self._client._client  # noqa: SLF001  (lightkube offers no public way to it)

    @property
    def _http(self) -> Any:
        return self._generic._client  # noqa: SLF001  (see above)


def _decoded(response: httpx2.Response) -> Object:
    return answers.decode(response.content, dict[str, Any])
