# SPDX-License-Identifier: Apache-2.0

"""The client of the Kubernetes API, with client-go's verbs, and in bounded time.

Juju runs no other hook on the machine while one runs, and is sure of a leader for 30 s only. So no
request begins after `SECONDS`.

lightkube reads the kubeconfig, opens the connection and knows where each kind is. The requests are
the charm's own, because `lightkube.Client` has no way to say how much time is left, splits logs at
more than their lines' ends, and raises other errors where a server answers in plain text.

Call its methods inside `cluster.errors.errors_as_status`.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import httpx2
import msgspec
import yaml
from lightkube import KubeConfig
from lightkube.config import client_adapter
from lightkube.core.resource import NamespacedResource, NamespacedSubResource, api_info
from lightkube.resources.core_v1 import PodLog
from lightkube.types import PatchType

from cluster.errors import ApiError, suppress
from errors import Waiting, WaitingForKubeconfig
from statuses import waiting
from text import brief

# An object as the server writes it. lightkube's types of the same objects cost a hook 25 ms.
Object = dict[str, Any]

MANAGER = "aws-iam"
_OURS = {"fieldManager": MANAGER}
# How long a hook sends requests.
SECONDS = 26.0
# How long one step of a request may take: to connect, or to receive some bytes. One object whose
# answer never comes leaves time for the others. Lists and questions may be slow, and so are
# objects that people's webhooks look at.
CONNECT_SECONDS, ANSWER_SECONDS, SLOW_SECONDS = 3.0, 4.0, 10.0
# The API server is on this machine: no proxy belongs in between, and compression saves nothing.
_DIRECT = client_adapter.ConnectionParams(trust_env=False)
_UNCOMPRESSED = {"Accept-Encoding": "identity"}
# Others may delete an object so that it waits until its dependents are gone, which may be never.
_WITHOUT_WAITING = {"propagationPolicy": "Background"}
_MINOR = re.compile(r"v(\d+)\.(\d+)")


class NoCredentialError(ValueError):
    """A kubeconfig has neither a token nor a client certificate."""


def connect(admin: Path, seconds: float = SECONDS) -> Client:
    """Return a client that uses the admin kubeconfig at ``admin``, for so many ``seconds``.

    Raises:
        errors.WaitingForKubeconfig: the file is missing, incomplete or unusable.
    """
    try:
        return Client(http_client(admin), seconds)
    except Exception as error:
        # Half a file fails in any of five libraries, until the control plane has written the rest.
        # Their texts may quote credentials.
        cause = error.strerror if isinstance(error, OSError) else type(error).__name__
        text = waiting.KUBECONFIG_UNUSABLE(file=admin, cause=cause)
        raise WaitingForKubeconfig(text) from error


def http_client(admin: Path) -> httpx2.Client:
    """Return a client for HTTP that connects as the kubeconfig at ``admin`` says.

    Raise any error if the kubeconfig cannot be used.
    """
    content = yaml.load(admin.read_text(), yaml.CSafeLoader)
    # lightkube's own types leave the content open.
    config = cast("Any", KubeConfig).from_dict(content, fname=admin).get()
    # Otherwise lightkube runs a command, or reads a token file, and only at a request.
    if not (config.user.token or config.user.client_cert_data):
        raise NoCredentialError
    # No header can have another one.
    (config.user.token or "").encode("ascii")
    http = client_adapter.Client(config, _DIRECT)
    http.headers.update(_UNCOMPRESSED)
    return http


class Client:
    """Read and write objects, of which ``res`` is lightkube's class. Threads may share it."""

    def __init__(self, http: httpx2.Client, seconds: float = SECONDS):
        self._http, self._until = http, time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Return for how long requests may still be sent."""
        return self._until - time.monotonic()

    @functools.cached_property
    def version(self) -> tuple[int, int]:
        """Return the server's major and minor version; zeros if it names none."""
        found = _MINOR.match(decoded(self.get_raw("/version"))["gitVersion"])
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def get_raw(self, path: str) -> httpx2.Response:
        """Return the server's answer at ``path``, such as ``/version``."""
        return self._send("GET", path, seconds=SLOW_SECONDS)

    def get(self, res: type[Any], name: str, *, namespace: str | None = None) -> Object | None:
        """Return one object; None if there is none."""
        with suppress(404):
            return decoded(self._send("GET", _path(res, namespace, name)))
        return None

    def list(
        self,
        res: type[Any],
        *,
        namespace: str | None = None,
        labels: str = "",
        limit: str = "",
    ) -> list[Object]:
        """Return the objects of one kind that the selector ``labels`` meets: of a namespace, or of
        all of them; no more than ``limit``, if that is given."""
        choices = {"labelSelector": labels, "limit": limit}
        params = {key: text for key, text in choices.items() if text}
        answer = self._send("GET", _path(res, namespace), params=params, seconds=SLOW_SECONDS)
        try:
            return decoded(answer)["items"]
        except KeyError as error:
            raise Waiting(waiting.NOT_KUBERNETES(cause="no items")) from error

    def ask(self, res: type[Any], spec: Mapping[str, Any]) -> Object:
        """Send a question such as a SubjectAccessReview; return the status of the answer."""
        answer = self._send("POST", _path(res), {"spec": spec}, seconds=SLOW_SECONDS)
        return decoded(answer)["status"]

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
        return decoded(self._send("POST", _path(res, namespace), obj, params=_OURS))

    def apply(
        self, res: type[Any], name: str, obj: Mapping[str, Any], *, namespace: str | None = None
    ) -> Object:
        """Apply one object server-side, and return it as it is then. Take its fields from others
        that have set them."""
        path = _path(res, namespace, name)
        return decoded(
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
        return decoded(self._send("PATCH", path, change, params=_OURS, headers=headers))

    def delete(
        self, res: type[Any], name: str, *, namespace: str | None = None, version: str = ""
    ) -> bool:
        """Delete one object, if there is one. Return whether a finalizer keeps it.

        Raise `errors.ApiError` (409) if its resourceVersion is not ``version``, if that is given.
        """
        unchanged = {"preconditions": {"resourceVersion": version}} if version else {}
        options = {**unchanged, **_WITHOUT_WAITING}
        with suppress(404):
            left = decoded(self._send("DELETE", _path(res, namespace, name), options))
            return bool(left.get("metadata", {}).get("finalizers"))
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
            httpx2.TimeoutException: no time is left, or the answer is late.
            errors.ApiError: the server refuses the request.
        """
        left = self.seconds_left
        if left <= 0:
            raise httpx2.ConnectTimeout("no time is left for another request")
        answer = self._http.request(
            method,
            path,
            params=params,
            headers=headers,
            json=body,
            timeout=httpx2.Timeout(min(seconds, left), connect=min(CONNECT_SECONDS, left)),
        )
        if answer.is_success:
            return answer
        raise ApiError(answer.status_code, _reason(answer))


def _path(res: type[Any], namespace: str | None = None, name: str = "") -> str:
    """Return where a kind is: of a namespace or of all, or one object of it, or a part of that."""
    info = api_info(res)
    kind = info.parent or info.resource
    where = ("apis", kind.group, kind.version) if kind.group else ("api", kind.version)
    is_namespaced = issubclass(res, (NamespacedResource, NamespacedSubResource))
    inside = ("namespaces", namespace) if namespace and is_namespaced else ()
    return "/" + "/".join(filter(None, (*where, *inside, info.plural, name, info.action)))


def decoded(answer: httpx2.Response) -> Object:
    """Return the object in an answer. Raise `errors.Waiting` if something other than Kubernetes
    wrote it."""
    try:
        return msgspec.json.decode(answer.content, type=Object)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Waiting(waiting.NOT_KUBERNETES(cause=brief(error))) from error


def _reason(answer: httpx2.Response) -> str:
    """Return why a request is refused, in Kubernetes' words or else in those of HTTP."""
    try:
        said = decoded(answer).get("message")
    except Waiting:
        said = None
    return said if said and isinstance(said, str) else answer.reason_phrase
