"""Whom the API server asks about a token, as two generations of the charm are told of it.

The original puts a forwarder of its own between the API server and whoever is asked, verifies no
certificate that it cannot, and takes only the server's URL from the file of aws-iam. So does the
testbed's, for the bare URL of the option `authn-webhook-endpoint`, and where it is told to. As a
rule it is stricter: the whole of aws-iam's file counts, so that address, authority and server name
in it must be right; and the API server itself goes by it, or the forwarder does.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import yaml

# The values of the option `webhook-caller`.
API_SERVER, FORWARDER, ORIGINAL = CALLERS = ("kube-apiserver", "forwarder", "original")
RENDERED = "/root/cdk/auth-webhook/auth-webhook.py"

_FORWARDER_URL = "http://127.0.0.1:5000/"
_RENDERED = '''\
#!/usr/bin/env python3
"""Where the control plane's forwarder sends token reviews, and whom it trusts there."""

url = {url!r}
server_name = {server_name!r}
authorities = {authorities!r}
'''


@dataclass(frozen=True)
class Target:
    """Who is asked. Without `server_name` the certificate must be for the URL's host; without
    `authorities` (PEM), none is verified."""

    url: str = ""
    server_name: str = ""
    authorities: str = ""


def target(kubeconfig: str, *, verified: bool) -> Target:
    """Return what the forwarder takes from aws-iam's file.

    Raises:
        yaml.YAMLError, KeyError, IndexError, TypeError: the file is not what it should be. The
            original's hook fails on that too.
    """
    cluster = yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]
    url = cluster["server"]
    if not isinstance(url, str):
        raise TypeError(f"clusters[0].cluster.server is no text: {url!r}")
    if not verified:
        return Target(url)
    authorities = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return Target(url, cluster.get("tls-server-name", ""), authorities)


def of_the_forwarder() -> str:
    """Return the webhook kubeconfig with which the API server asks the forwarder."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "webhook", "cluster": {"server": _FORWARDER_URL}}],
        "users": [{"name": "kube-apiserver"}],
        "contexts": [
            {"name": "webhook", "context": {"cluster": "webhook", "user": "kube-apiserver"}}
        ],
        "current-context": "webhook",
    }
    return yaml.safe_dump(content, sort_keys=False)


def rendered(asked: Target) -> str:
    """Return what the control plane renders for its forwarder: a program that names the URL."""
    return _RENDERED.format(**vars(asked))
