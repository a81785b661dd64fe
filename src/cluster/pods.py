"""The authenticator's pods: how far a rollout of them is, and what holds it up."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from cluster import manifests
from errors import Blocked, Unready, Waiting

if TYPE_CHECKING:
    from lightkube import Client

# A rollout is waited for since it last moved, so that the unit turns active by itself. A
# pod's first start may include the download of its image; and a kubelet whose API server was
# just restarted hears of a new Secret after half a minute, and mounts it after a whole one.
ROLLOUT_SECONDS = 90.0
POLL_SECONDS = 0.5
# What the condition Progressing of a Deployment says while a rollout moves; Kubernetes'
# controller gives it other reasons when all is there, and when nothing has moved for long.
_MOVING = ("NewReplicaSetCreated", "FoundNewReplicaSet", "ReplicaSetUpdated")
# What a container waits for when a person has to help.
_STUCK = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)


@dataclasses.dataclass(frozen=True)
class Rollout:
    """How far the Deployment is: pods that should be there, pods of the newest template
    that serve, and whether any pod serves at all."""

    wanted: int
    ready: int
    serving: bool
    complete: bool


def await_rollout(client: Client, deployment: Any) -> Rollout:
    """How far ``deployment``, as it was just applied, is; after waiting, within bounds, for
    the end of a rollout that this hook started, or one that was killed since."""
    from lightkube.resources.apps_v1 import Deployment

    deadline = time.monotonic() + _patience(deployment)
    while not progress(deployment).complete and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        deployment = client.get(Deployment, manifests.NAME, namespace=manifests.NAMESPACE)
    return progress(deployment)


def _patience(deployment: Any) -> float:
    """Seconds that a rollout may still take before another hook sees to it; none where pods
    were lost without one."""
    if not _observed(deployment):
        return ROLLOUT_SECONDS
    conditions = deployment.status.conditions or []
    moved = [c.lastUpdateTime for c in conditions if c.reason in _MOVING and c.lastUpdateTime]
    if not moved:
        return 0.0
    since = time.time() - max(moved).timestamp()
    return min(ROLLOUT_SECONDS, ROLLOUT_SECONDS - since)


def _observed(deployment: Any) -> bool:
    status = deployment.status
    return bool(status) and status.observedGeneration == deployment.metadata.generation


def progress(deployment: Any) -> Rollout:
    """How far a Deployment is, as it was read or applied."""
    wanted = deployment.spec.replicas if deployment.spec.replicas is not None else 1
    status = deployment.status
    updated = (status.updatedReplicas if _observed(deployment) else 0) or 0
    available = (status and status.availableReplicas) or 0
    everyone = (status and status.replicas) or 0
    complete = updated == wanted == available == everyone
    # Nobody counts these: of all that serve, those that the former pods cannot account for.
    ready = max(0, available - (everyone - updated))
    return Rollout(wanted, ready, available > 0, complete)


def all_show(client: Client, served: manifests.Bundle) -> bool:
    """Whether every pod shows the certificate of ``served``, those that are ending too: they
    are still asked from machines whose kube-proxy has not heard of their end."""
    annotations = [pod.metadata.annotations or {} for pod in _pods(client)]
    return all(found.get(manifests.CERTIFICATE_HASH) == served.hash for found in annotations)


def unfinished(client: Client, rollout: Rollout) -> Unready:
    """What to say of a rollout that is not complete."""
    if reason := _obstacle(client):
        return Blocked(f"an authenticator pod cannot start: {reason}")
    return Waiting(
        f"waiting for authenticator pods, {rollout.ready}/{rollout.wanted} of the newest serve"
    )


def _obstacle(client: Client) -> str | None:
    return next((problem for pod in _pods(client) if (problem := _pod_problem(pod))), None)


def _pod_problem(pod: Any) -> str | None:
    for status in (pod.status and pod.status.containerStatuses) or []:
        waiting = status.state and status.state.waiting
        if waiting and waiting.reason in _STUCK:
            return f"{waiting.reason}: {' '.join((waiting.message or '').split())[:160]}"
    for condition in (pod.status and pod.status.conditions) or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"{condition.reason}: {' '.join((condition.message or '').split())[:160]}"
    return None


def _pods(client: Client) -> list[Any]:
    from lightkube.resources.core_v1 import Pod

    namespace, labels = manifests.NAMESPACE, manifests.POD_LABELS
    return list(client.list(Pod, namespace=namespace, labels={**labels}))
