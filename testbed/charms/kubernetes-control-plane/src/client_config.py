"""The kubeconfigs that the control plane gives out: root's, and people's at /home/ubuntu/config.
Pure."""

from __future__ import annotations

import yaml

# What people put the ARN of their role in place of.
_ARN = "<<insert_arn_here>>"


def admin_config(config: str, token: str) -> str:
    """Return a kubeconfig whose only user logs in with `token`, in place of a certificate."""
    content = yaml.safe_load(config)
    [user] = content["users"]
    user["user"] = {"token": token}
    return yaml.safe_dump(content, sort_keys=False)


def client_config(admin: str, cluster_id: str = "") -> str:
    """Return the administrator's kubeconfig, with the AWS user and context beside it.

    As the original: both lie in one file, and the AWS user is only there while `cluster_id` is.
    """
    config = yaml.safe_load(admin)
    if cluster_id:
        cluster = config["contexts"][0]["context"]["cluster"]
        config["users"].append({"name": "aws-iam-user", "user": {"exec": _exec(cluster_id)}})
        config["contexts"].append(
            {
                "name": "aws-iam-authenticator",
                "context": {"cluster": cluster, "user": "aws-iam-user"},
            }
        )
    return yaml.safe_dump(config, sort_keys=False)


def _exec(cluster_id: str) -> dict[str, object]:
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws-iam-authenticator",
        "args": ["token", "-i", cluster_id, "-r", _ARN],
    }
