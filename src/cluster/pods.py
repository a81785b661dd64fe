# SPDX-License-Identifier: Apache-2.0

"""The authenticator's pods: how far their rollout is, and what blocks it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Event, Pod

import times
from certificates import KeyPair
from cluster import answers, api, references
from errors import Blocked, Waiting
from owner import CERTIFICATE_HASH
from statuses import blocked, waiting
from text import brief

# A hook waits for a rollout until this long after it last moved: most rollouts take less. The
# unit's alarm clock picks up the others, such as one that must download its image first.
ROLLOUT_SECONDS = 18.0
# What a hook keeps of its time for the requests that follow a rollout.
RESERVED_SECONDS = 2.0
POLL_SECONDS = 0.5
# A kubelet kills an ending pod at the time in `deletionTimestamp`, and the pod leaves the list.
# A pod that is still listed this many seconds later is on a lost node: its kubelet cannot report.
# By then no kube-proxy sends it requests: Kubernetes removes an ending pod from the endpoints.
LOST_SECONDS = 300.0
# Reasons of a Deployment's condition Progressing while a rollout moves. Kubernetes' controller
# gives it others once all pods are there, and once nothing has moved for long.
_MOVING = ("NewReplicaSetCreated", "FoundNewReplicaSet", "ReplicaSetUpdated")
# Reasons why a container waits until a person helps.
_BACK_OFF = "ImagePullBackOff"
_NOT_PULLED = ("ErrImagePull", _BACK_OFF, "InvalidImageName")
_STUCK = (
    *_NOT_PULLED,
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)
# Why a container is not created yet, and the reasons of events that say what it waits for.
_CREATING = "ContainerCreating"
_WAITS_FOR = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady")

# When an event was that does not say it.
_NEVER = datetime.fromtimestamp(0, timezone.utc)


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
    """Wait, within bounds, for the rollout of ``deployment``, and return how far it is then.

    ``deployment`` is the answer to its apply. Its rollout may be one that this hook started,
    or one whose hook was killed.
    """
    seconds = min(_time_left(deployment), client.seconds_left - RESERVED_SECONDS)
    deadline = time.monotonic() + seconds
    while not progress(deployment).complete and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        found = client.get(Deployment, references.NAME, namespace=references.NAMESPACE)
        if not found:
            # Somebody has deleted it, and the next hook makes it again.
            break
        deployment = found
    return progress(deployment)


def _time_left(deployment: api.Object) -> float:
    """Return the seconds to wait for a rollout; none where pods were lost without one."""
    status = _observed_status(deployment)
    if not status:
        return ROLLOUT_SECONDS
    conditions: list[api.Object] = status.get("conditions") or []
    moving = [condition for condition in conditions if condition.get("reason") in _MOVING]
    moved = [times.parse(at) for condition in moving if (at := condition.get("lastUpdateTime"))]
    if not moved:
        return 0.0
    return min(ROLLOUT_SECONDS, ROLLOUT_SECONDS - (times.now() - max(moved)).total_seconds())


def _observed_status(deployment: api.Object) -> api.Object:
    """Return the status; empty while the controller has not seen the newest spec."""
    status: api.Object = deployment.get("status") or {}
    observed = status.get("observedGeneration") == deployment["metadata"].get("generation")
    return status if observed else {}


def progress(deployment: api.Object) -> Rollout:
    """Return how far ``deployment`` is, as it was read or applied."""
    status: api.Object = deployment.get("status") or {}
    wanted: int = deployment["spec"].get("replicas", 1)
    updated: int = _observed_status(deployment).get("updatedReplicas", 0)
    available: int = status.get("availableReplicas", 0)
    everyone: int = status.get("replicas", 0)
    complete = updated == wanted == available == everyone
    # Kubernetes does not count updated pods that are ready: they are the available ones that
    # the former pods cannot account for.
    ready = max(0, available - (everyone - updated))
    return Rollout(wanted, ready, available > 0, complete, _refusal(status))


def _refusal(status: api.Object) -> str:
    """Return why the API server refuses pods, by the Deployment's status; empty if it does not."""
    conditions: list[api.Object] = status.get("conditions") or []
    for condition in conditions:
        if (condition["type"], condition["status"]) == ("ReplicaFailure", "True"):
            message: str = condition.get("message", "")
            # In front of the reason stands the name of a pod, another one at each try.
            cause = message.partition(" is forbidden: ")[2] or message
            return _cause(condition["reason"], cause)
    return ""


def find(client: api.Client) -> Sequence[answers.Pod]:
    """Return the Deployment's pods, ready or not."""
    namespace, label = references.NAMESPACE, references.POD_LABEL
    return client.list(Pod, answers.Pod, namespace=namespace, labels=label)


def names(found: Iterable[answers.Pod]) -> list[str]:
    """Return the names of the pods ``found`` that have not ended, ready or not."""
    return [pod.metadata.name for pod in found if not _ended(pod)]


@dataclasses.dataclass(frozen=True)
class Serving:
    """A pod that gets requests, and its IP address."""

    name: str
    address: str


def serving(found: Iterable[answers.Pod]) -> list[Serving]:
    """Return the pods of ``found`` that are ready and not ending, sorted by name."""
    ready = (
        Serving(pod.metadata.name, pod.status.pod_ip)
        for pod in found
        if pod.status.pod_ip and not pod.metadata.deletion_timestamp
        if any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)
    )
    return sorted(ready, key=lambda pod: pod.name)


def all_use(found: Iterable[answers.Pod], pair: KeyPair) -> bool:
    """Return whether every pod of ``found`` that may get requests serves ``pair``.

    Pods that are ending count: a machine whose kube-proxy has not heard of their end still
    sends requests to them. Pods that have ended do not, although Kubernetes lists an evicted pod
    until somebody deletes it, and a pod of a lost node until that node is deleted or back.
    """
    return all(
        pod.metadata.annotations.get(CERTIFICATE_HASH) == pair.hash
        for pod in found
        if not _ended(pod)
    )


def _ended(pod: answers.Pod) -> bool:
    # A node may be unreachable for seconds only, and its pods get requests meanwhile. So the
    # node's state does not count, and the pod's own end does.
    ends = pod.metadata.deletion_timestamp
    is_lost = ends is not None and times.now().timestamp() > ends.timestamp() + LOST_SECONDS
    return is_lost or pod.status.phase in ("Failed", "Succeeded")


def check_complete(client: api.Client, rollout: Rollout, found: Iterable[answers.Pod]) -> None:
    """Check that the rollout is complete. ``found`` are the Deployment's pods.

    Raises:
        errors.Blocked: a pod cannot start until a person helps.
        errors.Waiting: it only takes time.
    """
    if rollout.complete:
        return
    if problem := next(filter(None, (_problem(client, pod) for pod in found)), None):
        raise problem
    if rollout.refusal:
        raise NotCreated(blocked.POD_CANNOT_START(cause=rollout.refusal))
    ready, wanted = rollout.ready, rollout.wanted
    if warning := next(filter(None, (_warning(client, pod) for pod in found)), None):
        raise Waiting(waiting.PODS_STUCK(ready=ready, wanted=wanted, cause=warning))
    raise Waiting(waiting.PODS(ready=ready, wanted=wanted))


def _problem(client: api.Client, pod: answers.Pod) -> Blocked | None:
    for waits in _waiting(pod):
        if waits.reason in _STUCK:
            said = _why_not_pulled(client, pod) if waits.reason == _BACK_OFF else ""
            text = blocked.POD_CANNOT_START(cause=_cause(waits.reason, said or waits.message))
            return ImageNotPulled(text) if waits.reason in _NOT_PULLED else Blocked(text)
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            # The scheduler appends what evicting other pods would bring, which helps nobody.
            message, _, _ = condition.message.partition(" preemption:")
            cause = _cause(condition.reason, message)
            return NotScheduled(blocked.POD_CANNOT_START(cause=cause))
    return None


def _waiting(pod: answers.Pod) -> list[answers.Pending]:
    """Return why containers of ``pod`` wait, for each that does."""
    return [each.state.waiting for each in pod.status.container_statuses if each.state.waiting]


def _why_not_pulled(client: api.Client, pod: answers.Pod) -> str:
    """Return why ``pod`` could not pull its image, by the newest of its events; empty without one.

    Between two tries a kubelet of Kubernetes 1.30 or older says only that it waits.
    """
    # The other events of a failure only say that it failed.
    begin = "Failed to pull image"
    failures = [each for each in _events(client, pod) if each.message.startswith(begin)]
    return failures[-1].message if failures else ""


def _warning(client: api.Client, pod: answers.Pod) -> str:
    """Return what keeps the containers of ``pod`` from being created, by the newest of its events;
    empty without one."""
    if not any(waits.reason == _CREATING for waits in _waiting(pod)):
        return ""
    warnings = [each for each in _events(client, pod) if each.reason in _WAITS_FOR]
    return _cause(warnings[-1].reason, warnings[-1].message) if warnings else ""


def _events(client: api.Client, pod: answers.Pod) -> list[answers.Event]:
    """Return the events of ``pod``, the newest last."""
    namespace, about = references.NAMESPACE, f"involvedObject.name={pod.metadata.name}"
    found = client.list(Event, answers.Event, namespace=namespace, fields=about)
    return sorted(found, key=lambda each: each.last_timestamp or _NEVER)


def _cause(reason: str, message: str) -> str:
    return f"{reason}: {brief(message)}" if message else reason
