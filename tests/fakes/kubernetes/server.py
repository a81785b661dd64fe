"""A Kubernetes API server as a charm meets it: what it stores, and how it fails.

It takes the place of httpx2's transport, so that the charm's client (its kubeconfig, its URLs,
its time-outs, its decoding) is the real one. Of the server it does what the charm relies on:
server-side apply with one field manager, generations, allocation of a ClusterIP, subresources,
label selectors, and the controllers' statuses, on a clock of its own.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import email.utils
import json
import re
import threading
from collections.abc import Sequence
from typing import Any

import httpx2
from tests.fakes.kubernetes import discovery, rbac
from tests.fakes.kubernetes.faults import Answer, ok, refused
from tests.fakes.kubernetes.rbac import RBAC, REVIEWS

from text import is_ip

Object = dict[str, Any]

DEPLOYMENT = "/apis/apps/v1/namespaces/kube-system/deployments/aws-iam-authenticator"
SERVICE = "/api/v1/namespaces/kube-system/services/aws-iam-authenticator"
SECRET = "/api/v1/namespaces/kube-system/secrets/aws-iam-certs"
PULL_SECRET = "/api/v1/namespaces/kube-system/secrets/aws-iam-pull-secret"
CONFIG = "/api/v1/namespaces/kube-system/configmaps/aws-iam-authenticator"
SERVICE_ACCOUNT = "/api/v1/namespaces/kube-system/serviceaccounts/aws-iam-authenticator"
CLUSTER_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/aws-iam-authenticator"
CLUSTER_ROLE_BINDING = (
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/aws-iam-authenticator"
)
_EVENTS_RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
EVENTS_ROLE = f"{_EVENTS_RBAC}/roles/aws-iam-authenticator"
EVENTS_ROLE_BINDING = f"{_EVENTS_RBAC}/rolebindings/aws-iam-authenticator"
DISRUPTION_BUDGET = (
    "/apis/policy/v1/namespaces/kube-system/poddisruptionbudgets/aws-iam-authenticator"
)
DEFINITION = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
    "iamidentitymappings.iamauthenticator.k8s.aws"
)
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICY = f"{_ADMISSION}/validatingadmissionpolicies/aws-iam-mappings"
POLICY_BINDING = f"{_ADMISSION}/validatingadmissionpolicybindings/aws-iam-mappings"
MAPPINGS = "/apis/iamauthenticator.k8s.aws/v1alpha1/iamidentitymappings"
VERSION = "/version"
TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
NODES = "/api/v1/nodes"
PODS = "/api/v1/namespaces/kube-system/pods"
EVENTS = "/api/v1/namespaces/kube-system/events"
ADDRESS = "10.152.183.20"

_COLLECTION = re.compile(r"(/api/v1|/apis/[^/]+/[^/]+)(/namespaces/[^/]+)?/[^/]+")
# A list of a path without it is a list of all namespaces.
_NAMESPACE = re.compile("/namespaces/[^/]+")

# What every node says of itself.
_NODE_INFO = {
    "architecture": "amd64",
    "bootID": "-",
    "containerRuntimeVersion": "containerd://2.4.2",
    "kernelVersion": "6.18",
    "kubeProxyVersion": "-",
    "machineID": "-",
    "operatingSystem": "linux",
    "osImage": "-",
    "systemUUID": "-",
}


class Clock:
    """Stands in for the module `time`: sleeping takes no time, but the clock goes on."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


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


class FakeCluster:
    """The server. ``handle_request`` is what an httpx2 transport has."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.objects: dict[str, Object] = {}
        self.seen: list[Seen] = []
        # Seconds until new pods serve, and until a CRD is established; None for never.
        self.start_seconds: float | None = 2
        self.establish_seconds: float | None = 0
        self.free_addresses = [f"10.152.183.{n}" for n in range(20, 30)]
        self.taken_addresses: set[str] = set()
        # How many seconds its own clock is ahead.
        self.ahead = 0.0
        # Whether it answers for all API groups at once.
        self.aggregates = True
        self._fields: dict[str, Object] = {}
        self._rolled: dict[str, float] = {}
        self._faults: list[Fault] = []
        # The charm writes mappings from several threads.
        self._lock = threading.Lock()
        # What each pod logged, by its name.
        self._logs: dict[str, list[bytes]] = {}
        # Generation of the Deployment whose pods all serve.
        self._pods: int | None = None
        self.add_node("v1.37.2")

    # What a test says of it.

    def fail(self, answer: Answer, *, request: str = "", nth: int = 0) -> None:
        """Answer with ``answer`` to every ``request``, a method and a path, or to the nth of
        them only; without a request, to all."""
        self._faults.append(Fault(answer, request, nth))

    def recover(self) -> None:
        """Answer as usual again. A fault that met no request proves nothing, so it fails."""
        unmet = [fault.request or "any" for fault in self._faults if fault.met < max(fault.nth, 1)]
        self._faults.clear()
        assert not unmet, f"these requests were to fail, and were never sent: {unmet}"

    def put(self, path: str, stored: Object) -> None:
        """Store an object as somebody else's client would have."""
        name = path.rpartition("/")[2]
        stored = {"metadata": {"name": name, "generation": 1, "resourceVersion": "1"}, **stored}
        self.objects[path] = stored

    def add_node(self, version: str) -> None:
        self.put(
            f"{NODES}/n0",
            {
                "status": {
                    "nodeInfo": {**dict.fromkeys(_NODE_INFO, "-"), "kubeletVersion": version}
                }
            },
        )

    def add_mapping(
        self,
        name: str,
        arn: str,
        canonical: str | None = None,
        *,
        source: str = "",
        expires: str = "",
        groups: Sequence[str] = (),
    ) -> None:
        status = {} if canonical is None else {"status": {"canonicalARN": canonical}}
        path = f"{MAPPINGS}/{name}"
        spec = {"arn": arn, "username": name, **({"groups": [*groups]} if groups else {})}
        self.put(path, {"spec": spec, **status})
        if source:
            self.objects[path]["metadata"]["labels"] = {"aws-iam/source": source}
        if expires:
            self.objects[path]["metadata"]["annotations"] = {"aws-iam/expires": expires}

    def add_role(self, name: str, *verbs: str, resources: tuple[str, ...] = ("pods",)) -> None:
        """Store a ClusterRole or, where the name has a namespace (``default/dev``), a Role."""
        rule = {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}
        self.add_rules(name, rule)

    def add_rules(self, name: str, *rules: Object) -> None:
        """Store a ClusterRole or a Role, named as for `add_role`, with these rules."""
        namespace, _, plain = name.rpartition("/")
        kind = f"/namespaces/{namespace}/roles" if namespace else "/clusterroles"
        metadata = {"name": plain, **({"namespace": namespace} if namespace else {})}
        self.put(f"{RBAC}{kind}/{plain}", {"metadata": metadata, "rules": list(rules)})

    def add_binding(self, name: str, role: str, **subjects: str | tuple[str, ...]) -> None:
        """Store a ClusterRoleBinding or, where the name has a namespace, a RoleBinding, of a role
        (``Role/dev``) to subjects: their names, by their kind."""
        namespace, _, plain = name.rpartition("/")
        scope = f"/namespaces/{namespace}/rolebindings" if namespace else "/clusterrolebindings"
        kind, _, role_name = role.partition("/")
        named = [
            _subject(kind, subject)
            for kind, names in subjects.items()
            for subject in ([names] if isinstance(names, str) else names)
        ]
        metadata = {"name": plain, **({"namespace": namespace} if namespace else {})}
        self.put(
            f"{RBAC}{scope}/{plain}",
            {
                "metadata": metadata,
                "roleRef": {"kind": kind, "name": role_name},
                **({"subjects": named} if named else {}),
            },
        )

    def add_pod(self, name: str, **status: Any) -> None:
        """Store a pod of the Deployment."""
        self.add_stranger(name, **status)
        metadata = self.objects[f"{PODS}/{name}"]["metadata"]
        metadata["labels"]["pod-template-hash"] = "5c6d7"
        metadata["ownerReferences"] = [
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": "aws-iam-authenticator-5c6d7",
                "uid": "1",
                "controller": True,
            }
        ]

    def add_stranger(self, name: str, **status: Any) -> None:
        """Store somebody's pod that has the label of the Deployment's."""
        labels = {"name": name, "labels": {"k8s-app": "aws-iam-authenticator"}}
        self.put(f"{PODS}/{name}", {"metadata": labels, "status": status})

    def add_log(self, pod: str, log: bytes, ago: float = 0.0) -> None:
        """Let a pod have logged these lines, the last of them ``ago`` seconds before now."""
        self.add_lines(pod, *((ago, line) for line in re.findall(rb"[^\n]*\n|[^\n]+", log)))

    def add_lines(self, pod: str, *lines: tuple[float, bytes]) -> None:
        """Let a pod have logged these lines, each so many seconds before now."""
        if f"{PODS}/{pod}" not in self.objects:
            self.add_pod(pod)
        self._logs[f"{PODS}/{pod}/log"] = [
            f"{stamp(self.clock.now - ago, number)} ".encode() + line
            for number, (ago, line) in enumerate(lines)
        ]

    def add_event(self, name: str, pod: str, message: str, minute: int | None) -> None:
        """Store a kubelet's event of a failure; ``minute`` is None for one without a time."""
        event = {
            "metadata": {"name": name},
            "involvedObject": {"name": pod},
            "reason": "Failed",
            "message": message,
            "lastTimestamp": None if minute is None else f"2026-01-01T00:{minute:02}:00Z",
        }
        self.put(f"{EVENTS}/{name}", event)

    def delete(self, path: str) -> None:
        """Delete an object as somebody else's client would."""
        del self.objects[path]
        self._fields.pop(path, None)
        if path == DEPLOYMENT:
            self._pods = None

    def clear(self) -> None:
        """Delete everything but the node."""
        for path in list(self.objects):
            if not path.startswith(NODES):
                self.delete(path)

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

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        with self._lock:
            return self._answer(request)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme not in ("http", "https"):
            raise httpx2.UnsupportedProtocol(f"no {request.url.scheme}://", request=request)
        before = self._kept(request)
        try:
            for fault in self._faults:
                if fault.meets(request):
                    return fault.answer(request)
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
        if request.url.path == MAPPINGS:
            return str(sorted(path for path in self.objects if path.startswith(MAPPINGS)))
        path = request.url.path.removesuffix("/status")
        return json.dumps([self.objects.get(path), self._fields.get(path)])

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        answer = {
            "GET": self._get,
            "PATCH": self._patch,
            "POST": self._post,
            "PUT": self._put,
            "DELETE": self._remove,
        }
        return answer[request.method](request, request.url.path)

    def _get(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if _COLLECTION.fullmatch(path):
            as_table = "as=Table" in request.headers["Accept"]
            return self._list(path, dict(request.url.params), as_table=as_table)
        if path == VERSION:
            return self._version()
        accept = request.headers["Accept"] if self.aggregates else ""
        if found := discovery.answer(path, accept):
            return ok(found)
        if path in self._logs:
            return httpx2.Response(200, content=self._tail(path, dict(request.url.params)))
        stored = self.objects.get(path)
        if stored is None:
            return refused(404, f"{path} not found")
        return ok(self._with_status(path, stored))

    def _tail(self, path: str, query: dict[str, str]) -> bytes:
        """What a kubelet answers: of the newest lines the oldest, up to a size."""
        newest = self._logs[path][-int(query["tailLines"]) :]
        return b"".join(newest)[: int(query["limitBytes"])]

    def _version(self) -> httpx2.Response:
        date = email.utils.formatdate(self.clock.now + self.ahead, usegmt=True)
        return httpx2.Response(200, json={"gitVersion": "v1.37.2"}, headers={"Date": date})

    def _patch(self, request: httpx2.Request, path: str) -> httpx2.Response:
        body = json.loads(request.content)
        if request.headers["Content-Type"] == "application/apply-patch+yaml":
            return self._apply(path, body)
        if request.headers["Content-Type"] == "application/json-patch+json":
            return self._edit(path, body)
        return self._merge(path, body)

    def _post(self, request: httpx2.Request, path: str) -> httpx2.Response:
        body = json.loads(request.content)
        if path == TOKEN_REVIEWS:
            return ok({**body, "status": {"user": {}, "error": "the webhook refuses"}})
        if path == REVIEWS:
            return ok({**body, "status": rbac.review(self.objects, body["spec"])})
        if path == MAPPINGS and not self._established():
            return httpx2.Response(404, text="404 page not found\n")
        return self._create(path, body)

    def _put(self, request: httpx2.Request, path: str) -> httpx2.Response:
        """A new status of an object."""
        path, body = path.removesuffix("/status"), json.loads(request.content)
        if path not in self.objects:
            return refused(404, f"{path} not found")
        if no := self._outdated(path, body):
            return no
        self.objects[path]["status"] = body["status"]
        return ok(self.objects[path])

    def _remove(self, request: httpx2.Request, path: str) -> httpx2.Response:
        if path == MAPPINGS:
            return self._delete_some(dict(request.url.params))
        if path not in self.objects:
            return refused(404, f"{path} not found")
        options = json.loads(request.content) if request.content else {}
        if no := self._outdated(path, {"metadata": options.get("preconditions", {})}):
            return no
        self._let_go(path, options.get("propagationPolicy"))
        return ok({"kind": "Status", "status": "Success"})

    def _let_go(self, path: str, policy: str | None) -> None:
        """Delete an object once it has no finalizer left."""
        metadata = self.objects[path]["metadata"]
        of_collector = {"foregroundDeletion", "orphan"} if policy == "Background" else set[str]()
        left = [each for each in metadata.get("finalizers", ()) if each not in of_collector]
        if not left:
            return self.delete(path)
        metadata |= {"finalizers": left, "deletionTimestamp": "2026-11-26T12:00:00Z"}
        return None

    def _list(self, path: str, query: dict[str, str], *, as_table: bool) -> httpx2.Response:
        if path == MAPPINGS and not self._established():
            return httpx2.Response(404, text="404 page not found\n")
        items = self._selected(path, query)
        if as_table:
            return ok(self.table(items))
        return ok({"metadata": {}, "items": items[: int(query.get("limit", len(items)))]})

    def _selected(self, path: str, query: dict[str, str]) -> list[Object]:
        labels, fields = query.get("labelSelector", ""), _selector(query, "fieldSelector")
        return [
            stored
            for key, stored in sorted(self.objects.items())
            if path in (scope := key.rpartition("/")[0], _NAMESPACE.sub("", scope))
            and _has_labels(stored["metadata"].get("labels", {}), labels)
            and all(_field(stored, name) == value for name, value in fields.items())
        ]

    def _delete_some(self, query: dict[str, str]) -> httpx2.Response:
        """Delete the mappings that a query selects."""
        if not self._established():
            return httpx2.Response(404, text="404 page not found\n")
        found = self._selected(MAPPINGS, query)
        page = found[: int(query.get("limit", len(found)))]
        for item in page:
            path = f"{MAPPINGS}/{item['metadata']['name']}"
            self._let_go(path, query.get("propagationPolicy"))
        following = {"continue": "more"} if len(page) < len(found) else {}
        return ok({"metadata": following, "items": page})

    def table(self, items: list[Object]) -> Object:
        """The table of custom resources: of each, what their CRD wants printed."""
        (version,) = self.objects[DEFINITION]["spec"]["versions"]
        columns = version["additionalPrinterColumns"]
        names = ["Name", *(column["name"] for column in columns)]
        rows = [
            [item["metadata"]["name"], *(_cell(item, column["jsonPath"]) for column in columns)]
            for item in items
        ]
        return {
            "metadata": {},
            "columnDefinitions": [{"name": name} for name in names],
            "rows": [{"cells": cells, "object": None} for cells in rows],
        }

    def _apply(self, path: str, body: Object) -> httpx2.Response:
        stored = self.objects.get(path)
        if no := self._outdated(path, body):
            return no
        new = copy.deepcopy(stored or {})
        _drop(new, self._fields.get(path, {}), body)
        _merge(new, body)
        if path.startswith(SERVICE) and (no := self._allocate(path, new, stored)):
            return no
        if stored is None:
            new["metadata"].update(generation=1, resourceVersion="1")
        elif new != stored:
            if new.get("spec") != stored.get("spec"):
                new["metadata"]["generation"] = stored["metadata"].get("generation", 1) + 1
            new["metadata"]["resourceVersion"] = str(
                int(stored["metadata"]["resourceVersion"]) + 1
            )
        if stored is None or new["metadata"]["generation"] != stored["metadata"]["generation"]:
            self._rolled[path] = self.clock.now
        self.objects[path] = new
        self._fields[path] = copy.deepcopy(body)
        return ok(self._with_status(path, new))

    def _create(self, path: str, body: Object) -> httpx2.Response:
        path = f"{path}/{body['metadata']['name']}"
        if path in self.objects:
            return refused(409, f"{path} already exists")
        body["metadata"].update(generation=1, resourceVersion="1")
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

    def _edit(self, path: str, operations: list[Object]) -> httpx2.Response:
        """A JSON patch of a status: operations on its parts, and tests of others."""
        path = path.removesuffix("/status")
        if path not in self.objects:
            return refused(404, f"{path} not found")
        stored = self.objects[path]
        for operation in operations:
            parts = [part.replace("~1", "/") for part in operation["path"].strip("/").split("/")]
            if operation["op"] == "test" and _part(stored, parts) != operation["value"]:
                return refused(422, "the server rejected our request")
            if operation["op"] == "add":
                _part(stored, parts[:-1])[parts[-1]] = operation["value"]
        return ok(stored)

    def _merge(self, path: str, body: Object) -> httpx2.Response:
        if path.endswith("/status"):
            path, body = path.removesuffix("/status"), {"status": body["status"]}
        if path not in self.objects:
            return refused(404, f"{path} not found")
        if no := self._outdated(path, body):
            return no
        stored = self.objects[path]
        before = json.dumps(stored)
        _merge(stored, body)
        if path.startswith(MAPPINGS) and json.dumps(stored) != before:
            version = int(stored["metadata"]["resourceVersion"])
            stored["metadata"]["resourceVersion"] = str(version + 1)
        return ok(stored)

    # What controllers would have written by now.

    def _established(self) -> bool:
        seconds = self.establish_seconds
        created = self._rolled.get(DEFINITION, 0.0)
        return seconds is not None and (
            DEFINITION in self.objects and self.clock.now >= created + seconds
        )

    def _with_status(self, path: str, stored: Object) -> Object:
        if path == DEPLOYMENT:
            return {**stored, "status": self._deployment_status(stored)}
        if path == DEFINITION:
            condition = {"type": "Established", "status": str(self._established())}
            return {**stored, "status": {"conditions": [condition]}}
        return stored

    def _deployment_status(self, stored: Object) -> Object:
        """As its controller would have written it: never in the instant of a change."""
        status = stored.setdefault("status", {})
        age = self.clock.now - self._rolled.get(DEPLOYMENT, -1.0)
        if age > 0 and self._pods != (pods := stored["metadata"]["generation"]):
            wanted, former = stored["spec"]["replicas"], status.get("availableReplicas", 0)
            started = self.start_seconds is not None and age >= self.start_seconds
            status.update(
                observedGeneration=pods,
                replicas=wanted if started else former + 1,
                updatedReplicas=wanted if started else 1,
                availableReplicas=wanted if started else former,
                conditions=[self._progressing(started)],
            )
            self._pods = pods if started else None
        return status

    def _progressing(self, complete: bool) -> Object:
        moved = datetime.datetime.fromtimestamp(self._rolled[DEPLOYMENT], datetime.timezone.utc)
        return {
            "type": "Progressing",
            "status": "True",
            "reason": "NewReplicaSetAvailable" if complete else "ReplicaSetUpdated",
            "lastUpdateTime": moved.isoformat(),
        }


def _subject(kind: str, name: str) -> Object:
    """A subject of a binding. A service account may have its namespace in front (`ns:name`)."""
    if kind != "ServiceAccount":
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    namespace, _, plain = name.rpartition(":")
    return {"kind": kind, "name": plain, **({"namespace": namespace} if namespace else {})}


def stamp(seconds: float, number: int = 0) -> str:
    """A time as a kubelet writes it in front of a line: in nanoseconds, another for each line."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    moment += datetime.timedelta(microseconds=number // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}{number % 1000:03}Z"


def _selector(query: dict[str, str], kind: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in query.get(kind, "").split(",") if pair)


def _has_labels(labels: dict[str, str], selector: str) -> bool:
    """Whether a selector of one label, or of none, selects an object with ``labels``."""
    key, _, values = selector.partition(" in ")
    if values:
        return labels.get(key) in values.strip("()").split(",")
    wanted = _selector({"labelSelector": selector}, "labelSelector")
    return wanted.items() <= labels.items()


def _field(stored: Object, name: str) -> Any:
    for part in name.split("."):
        stored = stored[part]
    return stored


def _drop(stored: Object, former: Object, applied: Object) -> None:
    """Take out of ``stored`` what was applied before and no longer is."""
    for key, value in former.items():
        if key not in applied:
            stored.pop(key, None)
        elif isinstance(value, dict) and isinstance(applied[key], dict):
            _drop(stored[key], value, applied[key])


def _merge(stored: Object, new: Object) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(stored.get(key), dict):
            _merge(stored[key], value)
        elif value is None:
            stored.pop(key, None)
        else:
            stored[key] = copy.deepcopy(value)


def _part(value: Any, parts: list[str]) -> Any:
    """The part of an object below these names; None where there is none."""
    for part in parts:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _cell(item: Object, json_path: str) -> str | None:
    """What the server prints of an object: any value as text."""
    value = _part(item, json_path.strip(".").split("."))
    return value if value is None or isinstance(value, str) else json.dumps(value)
