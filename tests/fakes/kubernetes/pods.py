"""What a kubelet and the scheduler write of a pod that cannot start."""

from __future__ import annotations

from typing import Any


def waiting(reason: str, message: str = "") -> list[dict[str, Any]]:
    """The statuses of the containers of a pod that does not start."""
    return [
        {
            "name": "aws-iam-authenticator",
            "ready": False,
            "restartCount": 0,
            "image": "-",
            "imageID": "",
            "state": {"waiting": {"reason": reason, "message": message}},
        }
    ]


UNSCHEDULABLE = [
    {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available:\n 1 Insufficient memory. preemption: 0/1 nodes are "
        "available: 1 No preemption victims found for incoming pod.",
    }
]
