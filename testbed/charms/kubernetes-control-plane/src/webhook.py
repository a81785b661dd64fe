"""The API server's authentication webhook, as two generations of the charm are told of it.

The original puts a forwarder of its own between the API server and whoever is asked, verifies no
certificate that it cannot, and takes only the server's URL from the file of aws-iam. Here, the API
server calls the webhook itself. With aws-iam's file it goes by the whole of it, so address,
authority and server name in it must be right; this is stricter than the original. With the bare
URL of the option `authn-webhook-endpoint` it verifies nothing, as the original does in the end.
"""

from __future__ import annotations

import yaml

RENDERED = "/root/cdk/auth-webhook/auth-webhook.py"

_FORWARDER = '''\
#!/usr/bin/env python3
"""Where the testbed's control plane sends token reviews; kube-apiserver asks there itself."""

url = {url}
'''


def url_in(kubeconfig: str) -> str:
    """Return the one thing that the original takes from aws-iam's file.

    Raises:
        yaml.YAMLError, KeyError, IndexError, TypeError: the file is not what it should be. The
            original's hook fails on that too.
    """
    url = yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]["server"]
    if not isinstance(url, str):
        raise TypeError(f"clusters[0].cluster.server is no text: {url!r}")
    return url


def kubeconfig_for(url: str) -> str:
    """Return a webhook kubeconfig for a bare URL."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "webhook", "cluster": {"server": url, "insecure-skip-tls-verify": True}}
        ],
        "users": [{"name": "kube-apiserver"}],
        "contexts": [
            {"name": "webhook", "context": {"cluster": "webhook", "user": "kube-apiserver"}}
        ],
        "current-context": "webhook",
    }
    return yaml.safe_dump(content, sort_keys=False)


def rendered(url: str) -> str:
    """Return what the control plane renders its forwarder into: a program that names the URL."""
    return _FORWARDER.format(url=repr(url))
