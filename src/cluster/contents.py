# SPDX-License-Identifier: Apache-2.0

"""What the objects in the cluster hold: the pair, the proxies, the policy.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping

from certificates.keypair import KeyPair
from cluster import api, objects, references
from juju.proxies import Proxies


@dataclasses.dataclass(frozen=True)
class Stored:
    """What Secret aws-iam-certs has."""

    pair: KeyPair | None = None  # The pair that the pods serve; None without one.
    # The URLs of proxies by their keys. They may hold credentials.
    proxies: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str], repr=False)
    # The Secret itself; None without one.
    secret: api.Object | None = dataclasses.field(default=None, repr=False)


def stored(client: api.Client) -> Stored:
    """Return what the Secret in the cluster has."""
    secret = objects.get(client, references.SECRET)
    if not secret:
        return Stored()
    try:
        data = {key: _decoded(text) for key, text in _data(secret).items()}
    except ValueError:
        # Somebody else wrote this Secret, and the next apply replaces it.
        return Stored(secret=secret)
    proxies = {key: url for key, url in data.items() if "_PROXY-" in key}
    # The reactive charm's Secret has no CA, and others could read its key, so a new pair is used.
    if not all(data.get(name) for name in ("cert.pem", "key.pem", "ca.pem")):
        return Stored(None, proxies, secret)
    return Stored(KeyPair(data["cert.pem"], data["key.pem"], data["ca.pem"]), proxies, secret)


def deployed_proxies(client: api.Client, stored: Stored) -> Proxies:
    """Return the proxies that the pods use, by the Deployment in the cluster."""
    deployment = objects.get(client, references.DEPLOYMENT)
    environment: dict[str, api.Object] = {
        variable["name"]: variable
        for container in containers(deployment)
        for variable in container.get("env") or ()
    }
    urls = {
        name: stored.proxies[key]
        for name in ("HTTP_PROXY", "HTTPS_PROXY")
        if (key := _secret_key(environment.get(name, {}))) in stored.proxies
    }
    return Proxies(urls, environment.get("NO_PROXY", {}).get("value", ""))


def containers(deployment: api.Object | None) -> list[api.Object]:
    """Return the containers of a Deployment's pods; none without a Deployment."""
    return deployment["spec"]["template"]["spec"]["containers"] if deployment else []


def _secret_key(variable: api.Object) -> str:
    source: api.Object = variable.get("valueFrom", {})
    reference: api.Object = source.get("secretKeyRef", {})
    return reference.get("key", "")


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def _data(secret: api.Object) -> dict[str, str]:
    return secret.get("data") or {}
