"""Which of the authenticator's pods the reactive charm waits for. Pure."""

from __future__ import annotations

from typing import Any


def missing(found: list[dict[str, Any]]) -> str:
    """Return the status message for pods that do not run yet, empty where all do."""
    pods = [pod for pod in found if "aws-iam-authenticator" in pod["metadata"]["name"]]
    if not pods:
        return "Waiting for pods to be created"
    if any(pod["status"]["phase"] == "Pending" for pod in pods):
        return "Waiting for aws iam pod to start"
    names = [pod["metadata"]["name"] for pod in pods if not _runs(pod["status"])]
    if len(names) > 1:
        return f"Waiting for {len(names)} pods to start"
    return f"Waiting for {names[0]} to start" if names else ""


def _runs(status: dict[str, Any]) -> bool:
    running = status["phase"] == "Running" or status.get("reason") == "Evicted"
    return running and all(container["ready"] for container in status["containerStatuses"])
