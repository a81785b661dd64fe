# SPDX-License-Identifier: Apache-2.0

"""The client of the Kubernetes API, with client-go's verbs.

Call its methods inside `cluster.errors.errors_as_status`. What cannot be decoded is raised as
`errors.Waiting` by the methods themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cluster import kubeconfig
from cluster.errors import suppress
from cluster.rest import UNCOMPRESSED, RestClient
from errors import Waiting
from statuses import waiting

if TYPE_CHECKING:
    import httpx2
    from lightkube.types import PatchType

    from cluster import answers

T = TypeVar("T")
# An object as the server writes it. lightkube's types of the same objects cost a hook 25 ms.
Object = dict[str, Any]

MANAGER = "aws-iam"
# Without a resourceVersion, servers before 1.31 read each object of a list from etcd.
_IN_MEMORY = {"resourceVersion": "0"}
_AS_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io", **UNCOMPRESSED}
# Others may delete an object so that it waits until its dependents are gone, which may be never.
_WITHOUT_WAITING = {"propagationPolicy": "Background"}


def connect(admin: Path, seconds: float | None = None) -> Client:
    """Return a client that uses the admin kubeconfig at ``admin``, for so many ``seconds``; None
    means `deadline.HOOK_SECONDS`.

    Raises:
        errors.WaitingForKubeconfig: the file is missing, incomplete or unusable.
    """
    return Client(kubeconfig.client(admin, MANAGER), seconds)


class Client(RestClient):
    """Read and write objects, of which ``res`` is lightkube's class."""

    def get(
        self, res: type[Any], name: str, *, namespace: str | None = None, small: bool = False
    ) -> Object | None:
        """Return one object; None if there is none. ``small`` makes it part of a small write."""
        where = {"name": name, "namespace": namespace}
        with suppress(404):
            return _decoded(self._send("get", res, small=small, **where), res)
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
        answer = self._send("list", res, namespace=namespace, params=params, headers=UNCOMPRESSED)
        return answers.decode(answer.content, answers.Listed[into]).items

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
        from cluster import answers

        return _decoded(self._send("post", res, small=True, obj=obj), res, answers.Mapping)

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
        return _decoded(self._send("patch", res, obj=obj, headers=headers, **request), res)

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


def _decoded(
    response: httpx2.Response, res: type[Any], shape: type[answers.Mapping] | None = None
) -> Object:
    from cluster import answers

    return answers.as_object(response.content, res.__name__, shape)
