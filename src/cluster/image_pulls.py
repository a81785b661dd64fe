# SPDX-License-Identifier: Apache-2.0

"""Pods that cannot pull their image: which ones, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cluster import api, references

if TYPE_CHECKING:
    from lightkube.resources.core_v1 import Pod

# Reasons why a container waits: a pull has just failed, or the kubelet waits to try again.
FAILED, BACK_OFF = "ErrImagePull", "ImagePullBackOff"
_REASONS = (FAILED, BACK_OFF)
# How a kubelet begins the event that says why. Others of the same reason only say that it failed.
_EVENT = "Failed to pull image"


def any_fails(pods: Iterable[Pod], deployment: api.Object) -> bool:
    """Return whether a pod fails to pull what ``deployment`` asks for.

    Pods of a former spec do not count, because they go once new ones serve.
    """
    spec: api.Object = deployment["spec"]["template"]["spec"]
    secrets: list[api.Object] = spec.get("imagePullSecrets") or []
    images = [container["image"] for container in spec["containers"]]
    wanted = images, [secret["name"] for secret in secrets]
    return any(_pulled(pod) == wanted and _fails(pod) for pod in pods)


def _pulled(pod: Pod) -> tuple[list[str | None], list[str]] | None:
    """Return what a pod pulls: the images, and with which secrets."""
    if not pod.spec:
        return None
    secrets: list[Any] = pod.spec.imagePullSecrets or []
    images = [container.image for container in pod.spec.containers]
    return images, [secret.name for secret in secrets]


def _fails(pod: Pod) -> bool:
    statuses = (pod.status and pod.status.containerStatuses) or []
    states = [status.state.waiting for status in statuses if status.state]
    return any(waiting.reason in _REASONS for waiting in states if waiting)


def cause(client: api.Client, pod: Pod) -> str | None:
    """Return why ``pod`` could not pull its image, by the newest of its events; None without one.

    Between two tries a kubelet of Kubernetes 1.30 or older says only that it waits.
    """
    from lightkube.resources.core_v1 import Event

    name = (pod.metadata and pod.metadata.name) or ""
    fields = {"involvedObject.name": name, "reason": "Failed"}
    events = client.list(Event, namespace=references.NAMESPACE, fields=fields)
    failures = [event for event in events if (event.message or "").startswith(_EVENT)]
    newest = max(failures, key=_seconds, default=None)
    return newest.message if newest else None


def _seconds(event: Any) -> float:
    return event.lastTimestamp.timestamp() if event.lastTimestamp else 0.0
