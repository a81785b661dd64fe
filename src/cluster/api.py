# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The client of the Kubernetes API.

Call its methods inside `cluster.errors.errors_as_status`. What cannot be decoded is raised as
`errors.Waiting` by the methods themselves.
"""

from __future__ import annotations

import datetime
import email.utils
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import libyaml
from cluster.deadline import set_deadline
from cluster.errors import Conflict, reason_of, suppress
from errors import Waiting, WaitingForKubeconfig
from statuses import waiting
from text import brief

if TYPE_CHECKING:
    import httpx2
    import lightkube
    from lightkube.config.kubeconfig import SingleConfig
    from lightkube.types import PatchType

    from cluster import answers

T = TypeVar("T")
# An object as the server writes it. lightkube's types of the same objects cost a hook 25 ms.
Object = dict[str, Any]

MANAGER = "aws-iam"
# Juju runs no other hook on the machine while one runs, and is sure of a leader for 30 s only.
# So no request is open for longer than 28 s after the client began, whatever the server does. The
# other 2 s are for what the charm does before and after.
HOOK_SECONDS = 28
# The last request begins after 20 s, and has 8.
REQUEST_SECONDS = 20
# Thousands of small writes may follow each other. The last begins after 26 s, and has 2.
LAST_WRITE_SECONDS = 26
# How long one step of a request may take, to connect or to receive some bytes.
CONNECT_SECONDS = 3
ANSWER_SECONDS = 10
WRITE_SECONDS = 4
# Compression costs more than it saves, because the API server is on this machine.
_UNCOMPRESSED = {"Accept-Encoding": "identity"}
_AS_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io", **_UNCOMPRESSED}
# Others may delete an object so that it waits until its dependents are gone, which may be never.
_WITHOUT_WAITING = {"propagationPolicy": "Background"}
# What YAML's errors quote: its own punctuation, or text of the file. That is left out to its end.
_QUOTED = re.compile(r"""('[^'\w\\]*')|['"].*""", re.DOTALL)


class Client:
    """The methods of `lightkube.Client` that the charm calls, with types that are complete.

    It begins no request after `REQUEST_SECONDS`, so that a hook ends soon although every answer
    takes long. The methods raise `errors.Waiting` then. What is still open after `HOOK_SECONDS`,
    or after fewer ``seconds``, times out.
    """

    def __init__(self, client: lightkube.Client, seconds: float | None = None):
        # lightkube's own types leave most of its arguments open.
        self._client: Any = client
        self._began = time.monotonic()
        seconds = HOOK_SECONDS if seconds is None else seconds
        self._request_seconds = min(REQUEST_SECONDS, seconds)
        set_deadline(client, self._began + seconds)

    def prolong(self) -> None:
        """Let requests begin until `LAST_WRITE_SECONDS`: small ones, which are the hook's last."""
        self._request_seconds = LAST_WRITE_SECONDS

    @property
    def seconds_left(self) -> float:
        """Return for how long requests may still begin."""
        return self._began + self._request_seconds - time.monotonic()

    @property
    def seconds_left_to_write(self) -> float:
        """Return for how long `edit` may still begin, if no other request follows."""
        return self._began + LAST_WRITE_SECONDS - time.monotonic()

    def get(self, res: type[Any], name: str, *, namespace: str | None = None) -> Object | None:
        """Return one object; None if there is none."""
        self._check_time()
        with suppress(404):
            return _decoded(self._send("get", res, name=name, namespace=namespace), res)
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

    def first_node(self) -> answers.Node | None:
        """Return the first node, or None if there is none."""
        from lightkube.resources.core_v1 import Node

        from cluster import answers

        self._check_time()
        response = self._send("list", Node, params={"limit": "1"}, headers=_UNCOMPRESSED)
        return next(iter(answers.decode(response.content, answers.Nodes).items), None)

    def table(self, res: type[Any], *, newest: bool = False) -> list[dict[str, str | None]]:
        """Return the table that `kubectl get` prints of one kind: each row's cells by column.

        Of ten thousand objects, it takes the server less than half the work that a list takes,
        and is a tenth of the size. It is what the server has in memory, which may be moments old,
        unless ``newest`` asks for what is stored.
        """
        from cluster import answers

        params = {"includeObject": "None"}
        answer = self._list(res, params=params, headers=_AS_TABLE, newest=newest)
        table = answers.decode(answer, answers.Table)
        columns = [column.name for column in table.column_definitions]
        with answers.decoding():
            return [dict(zip(columns, row.cells, strict=True)) for row in table.rows]

    def everywhere(self, res: type[Any], into: type[T], *, labels: str = "") -> T:
        """Return the list of one kind, of all namespaces, as the msgspec type ``into``.

        ``labels`` is a selector. What ``into`` leaves out is not decoded. The list is what the
        server has in memory, which may be moments old.
        """
        from lightkube.core import resource

        from cluster import answers

        namespaced = issubclass(res, resource.NamespacedResourceG)
        answer = self._list(
            res,
            namespace="*" if namespaced else None,
            params={"labelSelector": labels} if labels else {},
            headers=_UNCOMPRESSED,
        )
        return answers.decode(answer, into)

    def _list(
        self,
        res: type[Any],
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        namespace: str | None = None,
        newest: bool = False,
    ) -> bytes:
        """Return the server's answer to a list, from its memory unless ``newest``."""
        self._check_time()
        # Without a resourceVersion, servers before 1.31 read each object from etcd.
        query = {"resourceVersion": None if newest else "0", **(params or {})}
        return self._send("list", res, namespace=namespace, params=query, headers=headers).content

    def read(self, path: str, into: type[T], *, accept: str = "application/json") -> T:
        """Return the server's answer at ``path``, which is no object's, as ``into``."""
        from cluster import answers

        self._check_time()
        response = self._generic._client.get(  # noqa: SLF001  (no public way to it)
            path, headers={"Accept": accept, **_UNCOMPRESSED}
        )
        self._check_refused(response)
        return answers.decode(response.content, into)

    def ask(self, review: T) -> T:
        """Send a question such as a SubjectAccessReview; return it with the server's answer."""
        from cluster import answers

        self._check_time()
        with answers.decoding():
            return self._client.create(review)

    def version(self) -> tuple[str, datetime.datetime | None]:
        """Return the server's version, such as ``v1.28.15``, and its time by the answer's header
        ``Date``: whole seconds, in UTC. The time is None if the server does not say it."""
        from cluster import answers

        self._check_time()
        response = self._generic._client.get("/version")  # noqa: SLF001  (no public way to it)
        self._check_refused(response)
        version = answers.decode(response.content, answers.Version).git_version
        try:
            at = email.utils.parsedate_to_datetime(response.headers["Date"])
            return version, at.astimezone(datetime.timezone.utc)
        except (LookupError, OverflowError, TypeError, ValueError):
            return version, None

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

    def patch(
        self,
        res: type[Any],
        name: str,
        obj: Mapping[str, Any],
        *,
        namespace: str | None = None,
        patch_type: PatchType,
        force: bool = False,
    ) -> Object:
        """Change one object, and return it as it is then."""
        self._check_time()
        response = self._send(
            "patch",
            res,
            name=name,
            obj=obj,
            namespace=namespace,
            headers={"Content-Type": patch_type.value},
            params={"force": "true"} if force else {},
        )
        return _decoded(response, res)

    def create(self, res: type[Any], obj: Mapping[str, Any]) -> Object:
        """Create one mapping, and return it. Several threads may do so at a time."""
        from cluster import answers

        response = self._send("post", res, seconds=WRITE_SECONDS, obj=obj)
        return _decoded(response, res, answers.Mapping)

    def create_at(self, path: str, obj: Mapping[str, Any]) -> None:
        """Create an object of a kind that lightkube sends no plain map of.

        Several threads may do so at a time.
        """
        import httpx2

        response = self._generic._client.post(  # noqa: SLF001  (no public way to it)
            path,
            json=obj,
            headers=_UNCOMPRESSED,
            timeout=httpx2.Timeout(WRITE_SECONDS, connect=CONNECT_SECONDS),
        )
        self._check_refused(response)

    def replace(self, res: type[Any], name: str, obj: Mapping[str, Any]) -> None:
        """Replace one object, unless it has changed. Several threads may do so at a time."""
        self._send("put", res, seconds=WRITE_SECONDS, obj=obj, name=name)

    def edit(self, res: type[Any], name: str, operations: Sequence[Mapping[str, Any]]) -> None:
        """Change one object by a JSON patch. Several threads may do so at a time."""
        from lightkube.types import PatchType

        headers = {"Content-Type": PatchType.JSON.value}
        self._send("patch", res, seconds=WRITE_SECONDS, obj=operations, name=name, headers=headers)

    def delete_some(self, res: type[Any], params: Mapping[str, str]) -> str:
        """Delete the objects of one kind that the query ``params`` selects.

        Return where to continue if ``params`` has a limit, and there are more.
        Several threads may do so at a time.
        """
        from cluster import answers

        params = {**params, **_WITHOUT_WAITING}
        response = self._send("deletecollection", res, seconds=WRITE_SECONDS, params=params)
        return answers.decode(response.content, answers.Deleted).metadata.following

    def delete(self, res: type[Any], name: str, *, namespace: str | None = None) -> None:
        """Delete one object, if there is one."""
        from cluster import answers

        self._check_time()
        with suppress(404), answers.decoding():
            self._client.delete(res, name, namespace=namespace)

    def drop(self, res: type[Any], name: str, *, namespace: str | None = None) -> bool:
        """Delete one object, if there is one. Several threads may do so at a time.

        Return whether a finalizer keeps it.
        """
        from cluster import answers

        with suppress(404):
            response = self._send(
                "delete", res, seconds=WRITE_SECONDS, name=name, namespace=namespace
            )
            return bool(answers.decode(response.content, answers.Dropped).metadata.finalizers)
        return False

    def free(self, res: type[Any], name: str, *, namespace: str | None = None) -> None:
        """Take all finalizers out of one object, if there is one. Several threads may do so."""
        from lightkube.types import PatchType

        with suppress(404):
            self._send(
                "patch",
                res,
                seconds=WRITE_SECONDS,
                obj={"metadata": {"finalizers": None}},
                name=name,
                namespace=namespace,
                headers={"Content-Type": PatchType.MERGE.value},
            )

    def delete_unchanged(self, res: type[Any], name: str, version: str) -> None:
        """Delete one cluster-scoped object, if there is one.

        Raises:
            errors.Conflict: its resourceVersion is not ``version``.
        """
        self._check_time()
        options = {"preconditions": {"resourceVersion": version}, **_WITHOUT_WAITING}
        with suppress(404):
            self._send("delete", res, data=options, name=name)

    def _send(self, method: str, res: type[Any], **request: Any) -> httpx2.Response:
        """Send a request as `_answer` does. Raise if the server refuses it."""
        response = self._answer(method, res, **request)
        self._check_refused(response)
        return response

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

    def _answer(
        self,
        method: str,
        res: type[Any],
        *,
        seconds: float | None = None,
        data: Mapping[str, Any] | None = None,
        **request: Any,
    ) -> httpx2.Response:
        """Send a request that no method of `lightkube.Client` can: these set no headers, no
        time-out of their own and no body of a deletion.

        One step of it may take ``seconds``; None means `ANSWER_SECONDS`.
        """
        import httpx2

        prepared = self._generic.prepare_request(method, res, **request)
        if seconds is not None:
            prepared.timeout = httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
        if data is not None:
            prepared.data = data
        return self._generic.send(self._generic.build_adapter_request(prepared))

    @property
    def _generic(self) -> Any:
        """Return what `lightkube.Client` builds on."""
        return self._client._client  # noqa: SLF001  (lightkube offers no public way to it)

    def _check_time(self) -> None:
        if self.seconds_left <= 0:
            raise Waiting(waiting.API_SLOW())


def _decoded(
    response: httpx2.Response, res: type[Any], shape: type[answers.Mapping] | None = None
) -> Object:
    from cluster import answers

    return answers.as_object(response.content, res.__name__, shape)


def connect(kubeconfig: Path, seconds: float | None = None) -> Client:
    """Return a client that uses the admin kubeconfig at ``kubeconfig``, for so many ``seconds``;
    None means `HOOK_SECONDS`.

    Raises:
        errors.WaitingForKubeconfig: the file is missing, incomplete or unusable.
    """
    import httpx2
    import lightkube

    try:
        content = libyaml.load(kubeconfig.read_text())
        # lightkube's own types leave the content open.
        parsed = cast("Any", lightkube.KubeConfig).from_dict(content, fname=kubeconfig)
        config: SingleConfig | None = parsed.get()
        _check_credential(config)
        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        # The API server is on this machine, so no proxy belongs in between.
        return Client(
            lightkube.Client(config, timeout=timeout, trust_env=False, field_manager=MANAGER),
            seconds,
        )
    except Exception as error:
        # Half a file fails in any of five libraries, until the control plane has written the rest.
        text = waiting.KUBECONFIG_UNUSABLE(file=kubeconfig, cause=_cause(error))
        raise WaitingForKubeconfig(text) from error


class _NoCredentialError(ValueError):
    pass


def _check_credential(config: SingleConfig | None) -> None:
    # lightkube would run a command, or read a token file, only later, and raise anything there.
    user = config.user if config else None
    if not user or user.exec or user.token_file or not (user.token or user.client_cert_data):
        raise _NoCredentialError("no token or client certificate in it")
    token = user.token or ""
    # The library for HTTP refuses other headers, and its error quotes the token.
    if not token.isascii() or not token.isprintable() or " " in token:
        raise _NoCredentialError("its token is malformed")


def _cause(error: Exception) -> str:
    """Return what is wrong with a kubeconfig, without any of its text: that holds credentials."""
    import yaml

    if isinstance(error, _NoCredentialError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return brief(error.strerror)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        problem = _QUOTED.sub(lambda match: match[1] or "…", error.problem or "")
        return f"{problem}, line {error.problem_mark.line + 1}"
    return type(error).__name__
