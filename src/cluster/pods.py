# SPDX-License-Identifier: Apache-2.0

"""The authenticator's pods: how far their rollout is, and what blocks it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Pod

import times
from certificates import KeyPair
from cluster import api, objects, references
from errors import Blocked, Waiting
from owner import CERTIFICATE_HASH
from statuses import blocked, waiting
from text import brief

# How long a hook waits for a rollout that it began: most take less. The unit's alarm clock picks
# up the others, such as one that must download its image first.
ROLLOUT_SECONDS = 18.0
# What a hook keeps of its time for the requests that follow a rollout.
RESERVED_SECONDS = 2.0
POLL_SECONDS = 0.5
# A kubelet kills an ending pod at the time in `deletionTimestamp`, and the pod leaves the list.
# A pod that is still listed so much later is on a lost node: its kubelet cannot report. By then no
# kube-proxy sends it requests: Kubernetes removes an ending pod from the endpoints.
LOST = timedelta(minutes=5)
# Reasons why a container waits until a person helps.
_NOT_PULLED = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName")
_STUCK = (
    *_NOT_PULLED,
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)


class ImageNotPulled(Blocked):
    """A pod cannot start until a person sets an image that its node can pull."""


class NotScheduled(Blocked):
    """A pod cannot start until a node has room for it."""


class NotCreated(Blocked):
    """The API server refuses the pod until a person changes a quota, a policy or a webhook."""


@dataclasses.dataclass(frozen=True)
class Rollout:
    """How far the Deployment is."""

    wanted: int  # How many pods it should have.
    ready: int  # How many updated pods are ready.
    serving: bool  # Whether any pod serves, updated or not.
    complete: bool  # Whether all pods are updated and ready, and none is left of the former.
    refusal: str = ""  # Why the API server refuses pods; empty if it does not.


def await_rollout(client: api.Client, deployment: api.Object) -> Rollout:
    """Wait, within bounds, for the rollout of ``deployment``, and return how far it is then."""
    seconds = min(ROLLOUT_SECONDS, client.seconds_left - RESERVED_SECONDS)
    deadline = time.monotonic() + seconds
    while not progress(deployment).complete and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        found = client.get(Deployment, references.NAME, namespace=references.NAMESPACE)
        if not found:
            # Somebody has deleted it, and the next hook makes it again.
            break
        deployment = found
    return progress(deployment)


def progress(deployment: api.Object) -> Rollout:
    """Return how far ``deployment`` is, as it was read or applied."""
    status: api.Object = deployment.get("status") or {}
    wanted: int = deployment["spec"].get("replicas", 1)
    # Its controller may not have seen the newest spec yet.
    is_seen = status.get("observedGeneration") == deployment["metadata"].get("generation")
    updated: int = status.get("updatedReplicas", 0) if is_seen else 0
    available: int = status.get("availableReplicas", 0)
    everyone: int = status.get("replicas", 0)
    complete = updated == wanted == available == everyone
    # Kubernetes does not count updated pods that are ready: they are the available ones that
    # the former pods cannot account for.
    ready = max(0, available - (everyone - updated))
    return Rollout(wanted, ready, available > 0, complete, _refusal(status))


def _refusal(status: api.Object) -> str:
    """Return why the API server refuses pods, by the Deployment's status; empty if it does not."""
    for condition in status.get("conditions") or ():
        if (condition["type"], condition["status"]) == ("ReplicaFailure", "True"):
            message: str = condition.get("message", "")
            # In front of the reason stands the name of a pod, another one at each try.
            cause = message.partition(" is forbidden: ")[2] or message
            return _cause(condition["reason"], cause)
    return ""


def find(client: api.Client) -> list[api.Object]:
    """Return the Deployment's pods, ready or not."""
    return client.list(Pod, namespace=references.NAMESPACE, labels=references.POD_LABEL)


def names(found: Iterable[api.Object]) -> list[str]:
    """Return the names of the pods ``found`` that have not ended, ready or not."""
    return [pod["metadata"]["name"] for pod in found if not _ended(pod)]


@dataclasses.dataclass(frozen=True)
class Serving:
    """A pod that gets requests, and its IP address."""

    name: str
    address: str


def serving(found: Iterable[api.Object]) -> list[Serving]:
    """Return the pods of ``found`` that are ready and not ending, sorted by name."""
    ready = (
        Serving(pod["metadata"]["name"], pod["status"]["podIP"])
        for pod in found
        if pod["status"].get("podIP") and "deletionTimestamp" not in pod["metadata"]
        if any(each["type"] == "Ready" and each["status"] == "True" for each in _conditions(pod))
    )
    return sorted(ready, key=lambda pod: pod.name)


def all_use(found: Iterable[api.Object], pair: KeyPair) -> bool:
    """Return whether every pod of ``found`` that may get requests serves ``pair``.

    Pods that are ending count: a machine whose kube-proxy has not heard of their end still
    sends requests to them. Pods that have ended do not, although Kubernetes lists an evicted pod
    until somebody deletes it, and a pod of a lost node until that node is deleted or back.
    """
    return all(
        objects.annotations_of(pod).get(CERTIFICATE_HASH) == pair.hash
        for pod in found
        if not _ended(pod)
    )


def _ended(pod: api.Object) -> bool:
    # A node may be unreachable for seconds only, and its pods get requests meanwhile. So the
    # node's state does not count, and the pod's own end does.
    ends = pod["metadata"].get("deletionTimestamp")
    is_lost = bool(ends) and times.now() > times.parse(ends) + LOST
    return is_lost or pod["status"].get("phase") in ("Failed", "Succeeded")


def check_complete(rollout: Rollout, found: Iterable[api.Object]) -> None:
    """Check that the rollout is complete. ``found`` are the Deployment's pods.

    Raises:
        errors.Blocked: a pod cannot start until a person helps.
        errors.Waiting: it only takes time.
    """
    if rollout.complete:
        return
    for pod in found:
        for problem in _problems(pod):
            raise problem
    if rollout.refusal:
        raise NotCreated(blocked.POD_CANNOT_START(cause=rollout.refusal))
    raise Waiting(waiting.PODS(ready=rollout.ready, wanted=rollout.wanted))


def _problems(pod: api.Object) -> Iterator[Blocked]:
    """Yield what a person must do before ``pod`` can start."""
    for container in pod["status"].get("containerStatuses") or ():
        state: api.Object = container["state"].get("waiting") or {}
        if (reason := state.get("reason", "")) in _STUCK:
            text = blocked.POD_CANNOT_START(cause=_cause(reason, state.get("message", "")))
            yield ImageNotPulled(text) if reason in _NOT_PULLED else Blocked(text)
    for each in _conditions(pod):
        if each["type"] == "PodScheduled" and each["status"] == "False":
            # The scheduler appends what evicting other pods would bring, which helps nobody.
            message, _, _ = each.get("message", "").partition(" preemption:")
            cause = _cause(each.get("reason", ""), message)
            yield NotScheduled(blocked.POD_CANNOT_START(cause=cause))


def _conditions(pod: api.Object) -> list[api.Object]:
    return pod["status"].get("conditions") or []


def _cause(reason: str, message: str) -> str:
    return f"{reason}: {brief(message)}" if message else reason
