# SPDX-License-Identifier: Apache-2.0

"""The client of the Kubernetes API, with client-go's verbs, and in bounded time.

Juju runs no other hook on the machine while one runs, and is sure of a leader for 30 s only. So a
client begins no request after `REQUEST_SECONDS`, and its methods raise `errors.Waiting` then. A
small write may begin until `LAST_WRITE_SECONDS`, and several threads may make some at a time; its
caller looks at the time.

Call its methods inside `cluster.errors.errors_as_status`. What cannot be decoded is raised as
`errors.Waiting` by the methods themselves.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cluster import admin_kubeconfig
from cluster.errors import Conflict, reason_of, suppress
from errors import Waiting
from statuses import waiting

if TYPE_CHECKING:
    import httpx2
    import lightkube
    from lightkube.types import PatchType

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
        from cluster import answers

        found = _MINOR.match(self.read("/version", answers.Version).git_version)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def read(self, path: str, into: type[T]) -> T:
        """Return the server's answer at ``path``, which is no object's, as ``into``."""
        from cluster import answers

        return answers.decode(self.get_raw(path).content, into)

    def get_raw(self, path: str) -> httpx2.Response:
        """Return the server's answer at ``path``."""
        self._check_time()
        response = self._http.get(path, headers=_UNCOMPRESSED, timeout=self._timeout())
        self._check_refused(response)
        return response

    def post(self, path: str, obj: Mapping[str, Any]) -> None:
        """Create an object of a kind that lightkube sends no plain map of: a small write."""
        timeout = self._timeout(WRITE_SECONDS)
        response = self._http.post(path, json=obj, headers=_UNCOMPRESSED, timeout=timeout)
        self._check_refused(response)

    def get(
        self, res: type[Any], name: str, *, namespace: str | None = None, small: bool = False
    ) -> Object | None:
        """Return one object; None if there is none. ``small`` makes it part of a small write."""
        where = {"name": name, "namespace": namespace}
        with suppress(404):
            return _decoded(self._send("get", res, small=small, **where))
        return None

    def list(
        self,
        res: type[T],
        *,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Sequence[T]:
        """Return the objects of one kind, each with its metadata."""
        from cluster import answers

        self._check_time()
        with answers.decoding():
            where = {"namespace": namespace, "labels": labels, "fields": fields}
            found = [*self._client.list(res, **where)]
            if not all(each.metadata and each.metadata.name for each in found):
                raise Waiting(waiting.NOT_KUBERNETES())
            return found

    def list_as(self, res: type[Any], into: type[T], *, labels: str = "") -> Sequence[T]:
        """Return the objects of one kind, of all namespaces, each as the msgspec type ``into``.

        ``labels`` is a selector. What ``into`` leaves out is not decoded. The list is what the
        server has in memory, which may be moments old.
        """
        from lightkube.core import resource

        from cluster import answers

        namespace = "*" if issubclass(res, resource.NamespacedResourceG) else None
        params = {**_IN_MEMORY, **({"labelSelector": labels} if labels else {})}
        answer = self._send("list", res, namespace=namespace, params=params, headers=_UNCOMPRESSED)
        return answers.decode(answer.content, answers.ObjectList[into]).items

    def table(self, res: type[Any], *, newest: bool = False) -> list[dict[str, str | None]]:
        """Return the table that `kubectl get` prints of one kind: each row's cells by column.

        Of ten thousand objects, it takes the server less than half the work that a list takes,
        and is a tenth of the size. It is what the server has in memory, which may be moments old,
        unless ``newest`` asks for what is stored.
        """
        from cluster import answers

        params = {"includeObject": "None", **({} if newest else _IN_MEMORY)}
        answer = self._send("list", res, params=params, headers=_AS_TABLE)
        table = answers.decode(answer.content, answers.Table)
        columns = [column.name for column in table.column_definitions]
        with answers.decoding():
            return [dict(zip(columns, row.cells, strict=True)) for row in table.rows]

    def ask(self, review: T) -> T:
        """Send a question such as a SubjectAccessReview; return it with the server's answer."""
        from cluster import answers

        self._check_time()
        with answers.decoding():
            return self._client.create(review)

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

        Raises:
            httpx2.HTTPError: there is no such answer. It may come from the pod's node.
        """
        from lightkube.resources.core_v1 import PodLog

        self._check_time()
        params = {
            "container": container,
            "tailLines": lines,
            "limitBytes": size,
            "timestamps": "true",
        }
        response = self._answer(
            "get", PodLog, seconds=seconds, name=pod, namespace=namespace, params=params
        )
        # The node's own answer need not be one that lightkube understands.
        response.raise_for_status()
        return response.content

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
        from lightkube.types import PatchType

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
        from lightkube.types import PatchType

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

        Raises:
            errors.Conflict: its resourceVersion is not ``version``, if that is given.
        """
        from cluster import answers

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
        response = self._answer(method, res, seconds=seconds, **request)
        self._check_refused(response)
        return response

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

    def _check_refused(self, response: httpx2.Response) -> None:
        """Raise `errors.Conflict` for a write's 409, and lightkube's error for another refusal."""
        import lightkube

        from cluster import answers

        try:
            with answers.decoding():
                self._generic.raise_for_status(response)
        except lightkube.ApiError as error:
            if error.response.status_code != 409 or response.request.method == "GET":
                raise
            raise Conflict(reason_of(error)) from error

    def _check_time(self) -> None:
        """Raise `errors.Waiting` if no request may begin any more."""
        if self.seconds_left <= 0:
            raise Waiting(waiting.API_SLOW())
        # lightkube's own methods take no other time-out.
        self._http.timeout = self._timeout()

    def _timeout(self, seconds: float = ANSWER_SECONDS) -> httpx2.Timeout:
        """Return the time-out for each step of a request: all ends with the hook's time."""
        import httpx2

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
    from cluster import answers

    return answers.as_object(response.content)
