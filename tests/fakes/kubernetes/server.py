"""A Kubernetes API server as a charm meets it: what it stores, and how it fails.

It takes the place of httpx2's transport, so that the charm's client (its kubeconfig, its URLs,
its time-outs, its decoding) is the real one. Of the server it does what the charm relies on:
server-side apply with one field manager, generations, allocation of a ClusterIP, finalizers,
subresources, label selectors, and the controllers' statuses, on a clock of its own.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import email.utils
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.fakes.kubernetes import apply, rbac, selectors
from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.controllers import Controllers
from tests.fakes.kubernetes.faults import Answer, Fault, ok, refused
from tests.fakes.kubernetes.paths import (
    MAPPINGS,
    NAMESPACES,
    SECRET,
    SERVICE,
    TOKEN_REVIEWS,
    VERSION,
)
from tests.fakes.kubernetes.rbac import REVIEWS
from tests.fakes.kubernetes.stored import Object, owners_of, renew

from text import is_ip

_COLLECTION = re.compile(r"(/api/v1|/apis/[^/]+/[^/]+)(/namespaces/[^/]+)?/[^/]+")
# A list of a path without it is a list of all namespaces.
_NAMESPACE = re.compile("/namespaces/[^/]+")


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request that arrived, and whether it changed what is stored."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    seconds: dict[str, float]
    changed: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class FakeCluster(Controllers):
    """The server. ``handle_request`` is what an httpx2 transport has."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.seen: list[Seen] = []
        self.free_addresses = [f"10.152.183.{n}" for n in range(20, 30)]
        self.taken_addresses: set[str] = set()
        # How many seconds its own clock is ahead.
        self.ahead = 0.0
        self.version = "v1.37.2"
        # What lists have that ask for no version of theirs, as from an API server that is late.
        self.memory: dict[str, Object] | None = None
        self._faults: list[Fault] = []
        # The charm writes mappings from several threads. Between two requests of one unit, a test
        # may run another unit.
        self._lock = threading.RLock()

    def fail(self, answer: Answer, *, request: str = "", nth: int = 0) -> None:
        """Answer with ``answer`` to every ``request``, a method and a path, or to the nth of
        them only; without a request, to all."""
        self._faults.append(Fault(answer, request, nth))

    def meanwhile(self, act: Callable[[], object], *, request: str, nth: int = 1) -> None:
        """Let somebody act right before the nth ``request`` of its kind arrives."""

        def acted(_: httpx2.Request) -> None:
            act()

        self.fail(acted, request=request, nth=nth)

    def recover(self) -> None:
        """Answer as usual again. A fault that met no request proves nothing, so it fails."""
        unmet = [fault.request or "any" for fault in self._faults if fault.met < max(fault.nth, 1)]
        self._faults.clear()
        assert not unmet, f"these requests were to fail, and were never sent: {unmet}"

    def secret(self, key: str) -> str:
        """What the certificate's Secret holds as ``key``, such as ``cert.pem``."""
        return base64.b64decode(self.objects[SECRET]["data"][key]).decode()

    def forget(self) -> None:
        """Start to count from here."""
        self.seen.clear()

    @property
    def requests(self) -> list[str]:
        """The requests since `forget`, by method and path."""
        return [str(request) for request in self.seen]

    @property
    def changes(self) -> list[str]:
        """The requests that changed something."""
        return [str(request) for request in self.seen if request.changed]

    # The transport.

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Let whatever httpx2 would send over a socket come here, and time be this server's."""
        for function in ("monotonic", "sleep", "time"):
            patch.setattr(time, function, getattr(self.clock, function))
        send = self.handle_request
        patch.setattr(httpx2.HTTPTransport, "handle_request", lambda _, request: send(request))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        with self._lock:
            return self._answer(request)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme not in ("http", "https"):
            raise httpx2.UnsupportedProtocol(f"no {request.url.scheme}://", request=request)
        before = self._kept(request)
        try:
            for fault in self._faults:
                if fault.meets(request) and (answer := fault.answer(request)):
                    return answer
            return self._handle(request)
        finally:
            changed = before != self._kept(request)
            body = json.loads(request.content) if request.content else None
            self.seen.append(
                Seen(
                    request.method,
                    request.url.path,
                    dict(request.url.params),
                    body,
                    request.extensions["timeout"],
                    changed,
                )
            )

    def _kept(self, request: httpx2.Request) -> str:
        """What a request could change, as text."""
        if request.method == "GET":
            return ""
        if request.method == "POST":
            of = f"{request.url.path}/"
            return str(sorted(path for path in self.objects if path.startswith(of)))
        path = request.url.path.removesuffix("/status")
        return json.dumps([self.objects.get(path), self._fields.get(path)])

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        answer = {
            "GET": self._get,
            "PATCH": self._patch,
            "POST": self._post,
            "DELETE": self._remove,
        }
        return answer[request.method](request, request.url.path)

    def _get(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if _COLLECTION.fullmatch(path):
            return self._list(path, dict(request.url.params))
        if path == VERSION:
            return self._version()
        if path in self._logs:
            newest = self._logs[path][-int(request.url.params["tailLines"]) :]
            return httpx2.Response(200, content=b"".join(newest))
        stored = self.objects.get(path)
        if stored is None:
            return refused(404, f"{path} not found")
        return ok(self._with_status(path, stored))

    def _version(self) -> httpx2.Response:
        date = email.utils.formatdate(self.clock.now + self.ahead, usegmt=True)
        return httpx2.Response(200, json={"gitVersion": self.version}, headers={"Date": date})

    def _patch(self, request: httpx2.Request, path: str) -> httpx2.Response:
        body = json.loads(request.content)
        if request.headers["Content-Type"] == "application/apply-patch+yaml":
            return self._apply(path, body)
        return self._merge(path.removesuffix("/status"), body)

    def _post(self, request: httpx2.Request, path: str) -> httpx2.Response:
        body = json.loads(request.content)
        if path == TOKEN_REVIEWS:
            return ok({**body, "status": {"user": {}, "error": "the webhook refuses"}})
        if path == REVIEWS:
            return ok({**body, "status": rbac.review(self.objects, body["spec"])})
        if path == MAPPINGS and not self._established():
            return httpx2.Response(404, text="404 page not found\n")
        return self._create(path, body)

    def _remove(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if path not in self.objects:
            return refused(404, f"{path} not found")
        options = json.loads(request.content) if request.content else {}
        if no := self._outdated(path, {"metadata": options.get("preconditions", {})}):
            return no
        self._let_go(path, options.get("propagationPolicy"))
        return ok(self.objects.get(path, {"kind": "Status", "status": "Success"}))

    def _let_go(self, path: str, policy: str | None) -> None:
        """Delete an object once it has no finalizer left."""
        metadata = self.objects[path]["metadata"]
        of_collector = {"foregroundDeletion", "orphan"} if policy == "Background" else set[str]()
        left = [each for each in metadata.get("finalizers", ()) if each not in of_collector]
        if not left:
            return self.delete(path)
        metadata |= {"finalizers": left, "deletionTimestamp": "2026-11-26T12:00:00Z"}
        return renew(metadata)

    def kubectl_delete(self, path: str) -> None:
        """Delete an object as a person does, who leaves its finalizers alone."""
        self._let_go(path, "Background")

    def _list(self, path: str, query: dict[str, str]) -> httpx2.Response:
        if path == MAPPINGS and not self._established():
            return httpx2.Response(404, text="404 page not found\n")
        if path == NAMESPACES:
            return ok({"items": [{"metadata": {"name": name}} for name in self.namespaces]})
        return ok({"metadata": {}, "items": self._selected(path, query)})

    def _selected(self, path: str, query: dict[str, str]) -> list[Object]:
        is_late = query.get("resourceVersion") == "0"
        shown = self.memory if self.memory is not None and is_late else self.objects
        return [
            stored
            for key, stored in sorted(shown.items())
            if path in (scope := key.rpartition("/")[0], _NAMESPACE.sub("", scope))
            and selectors.has_label(stored, query.get("labelSelector", ""))
        ]

    def _apply(self, path: str, body: Object) -> httpx2.Response:
        stored = self.objects.get(path)
        if no := self._outdated(path, body):
            return no
        new = copy.deepcopy(stored or {})
        former = self._fields.get(path, {})
        left = apply.finalizers(new, former, body)
        if no := _adds_finalizers(stored, left):
            return no
        apply.drop(new, former, body)
        apply.merge(new, body)
        if left:
            new["metadata"]["finalizers"] = left
        new["metadata"]["managedFields"] = apply.managers(new["metadata"], body)
        if stored and stored.get("roleRef") != new.get("roleRef"):
            return refused(422, f"roleRef: Invalid value: {path}: cannot change roleRef")
        if path.startswith(SERVICE) and (no := self._allocate(path, new, stored)):
            return no
        if stored is None:
            new["metadata"].update(generation=1, resourceVersion="1")
        elif new != stored:
            if new.get("spec") != stored.get("spec"):
                new["metadata"]["generation"] = stored["metadata"].get("generation", 1) + 1
            renew(new["metadata"])
        if stored is None or new["metadata"]["generation"] != stored["metadata"]["generation"]:
            self._rolled[path] = self.clock.now
        self.objects[path] = new
        self._fields[path] = copy.deepcopy(body)
        return ok(self._with_status(path, new))

    def _create(self, path: str, body: Object) -> httpx2.Response:
        metadata = body["metadata"]
        if begin := metadata.pop("generateName", ""):
            if begin.endswith("."):
                return refused(422, f"metadata.generateName: Invalid value: {begin!r}")
            metadata["name"] = f"{begin}{len(self.seen)}"
        path = f"{path}/{metadata['name']}"
        if path in self.objects:
            return refused(409, f"{path} already exists")
        namespace = body["metadata"].get("namespace")
        if namespace and namespace not in self.namespaces:
            return refused(404, f'namespaces "{namespace}" not found')
        body["metadata"].update(generation=1, resourceVersion="1", uid=self._new_uid())
        # The garbage collector deletes at once what no object owns by now.
        there = {each["metadata"].get("uid") for each in self.objects.values()}
        if (owners := owners_of(body)) <= there or not owners:
            self.objects[path] = body
        return ok(body)

    def _outdated(self, path: str, body: Object) -> httpx2.Response | None:
        """The refusal of a change to another version than the one that is stored."""
        wanted = body.get("metadata", {}).pop("resourceVersion", None)
        stored = self.objects.get(path)
        if not wanted or not stored or wanted == stored["metadata"]["resourceVersion"]:
            return None
        return refused(409, "the object has been modified")

    def _allocate(self, path: str, new: Object, stored: Object | None) -> httpx2.Response | None:
        others = (key for key in self.objects if key.startswith(SERVICE) and key != path)
        taken = {self.objects[key]["spec"]["clusterIP"] for key in others} | self.taken_addresses
        wanted = new["spec"].get("clusterIP")
        former = stored["spec"]["clusterIP"] if stored else None
        if not wanted:
            address = former or next(a for a in self.free_addresses if a not in taken)
            new["spec"]["clusterIP"] = address
        elif former and wanted != former:
            return refused(422, "spec.clusterIPs[0]: Invalid value: may not change once set")
        elif wanted in taken:
            return refused(422, "spec.clusterIPs: provided IP is already allocated")
        elif is_ip(wanted) and not wanted.startswith("10.152.183.") and ":" not in wanted:
            return refused(
                422,
                "spec.clusterIPs: failed to allocate IP: the provided network does not match the "
                "current range. The range of valid IPs is 10.152.183.0/24",
            )
        return None

    def _merge(self, path: str, body: Object) -> httpx2.Response:
        if path not in self.objects:
            return refused(404, f"{path} not found")
        if no := self._outdated(path, body):
            return no
        stored = self.objects[path]
        if path.startswith(MAPPINGS) and (no := _changes_arn(stored, body)):
            return no
        if no := _adds_finalizers(stored, body.get("metadata", {}).get("finalizers")):
            return no
        before = json.dumps(stored)
        apply.merge(stored, body)
        if json.dumps(stored) != before:
            renew(stored["metadata"])
        if "deletionTimestamp" in stored["metadata"] and not stored["metadata"].get("finalizers"):
            self.delete(path)
        return ok(stored)


def _adds_finalizers(stored: Object | None, new: list[str] | None) -> httpx2.Response | None:
    """The refusal of a new finalizer on an object that is being deleted."""
    metadata = stored["metadata"] if stored else {}
    if "deletionTimestamp" not in metadata or set(new or ()) <= {*metadata["finalizers"]}:
        return None
    return refused(
        422,
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
        f"deleted, found new finalizers {new}",
    )


def _changes_arn(stored: Object, body: Object) -> httpx2.Response | None:
    """The refusal of another ARN, by a rule of the CRD."""
    spec = stored.get("spec")
    arn = spec.get("arn") if isinstance(spec, dict) else None
    if not arn or body.get("spec", {}).get("arn", arn) == arn:
        return None
    return refused(422, "spec.arn: Invalid value: arn cannot be changed, delete this mapping")
