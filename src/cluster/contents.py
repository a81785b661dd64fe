# SPDX-License-Identifier: Apache-2.0

"""What the objects in the cluster hold: the pair, the containers.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import base64
import dataclasses

from certificates import KeyPair
from cluster import api, objects, references


@dataclasses.dataclass(frozen=True)
class Stored:
    """What Secret aws-iam-certs has."""

    pair: KeyPair | None = None  # The pair that the pods serve; None without one.
    # The Secret itself; None without one.
    secret: api.Object | None = dataclasses.field(default=None, repr=False)


def stored(client: api.Client) -> Stored:
    """Return what the Secret in the cluster has."""
    secret = objects.get(client, references.SECRET)
    if not secret:
        return Stored()
    try:
        encoded: dict[str, str] = secret.get("data") or {}
        data = {key: base64.b64decode(text).decode() for key, text in encoded.items()}
    except ValueError:
        # Somebody else wrote this Secret, and the next apply replaces it.
        return Stored(secret=secret)
    # The reactive charm's Secret has no CA, and others could read its key, so a new pair is used.
    if not all(data.get(name) for name in ("cert.pem", "key.pem", "ca.pem")):
        return Stored(secret=secret)
    return Stored(KeyPair(data["cert.pem"], data["key.pem"], data["ca.pem"]), secret)


def containers(deployment: api.Object | None) -> list[api.Object]:
    """Return the containers of a Deployment's pods; none without a Deployment."""
    return deployment["spec"]["template"]["spec"]["containers"] if deployment else []
