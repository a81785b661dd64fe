"""Whom the API server asks about a token, as two generations of the charm are told of it.

The original puts a forwarder of its own between the API server and whoever is asked. Its forwarder
verifies certificates by what the machine trusts, goes on without where that fails, and takes only
the server's URL from the file of aws-iam. So does the testbed's, for the bare URL of the option
`authn-webhook-endpoint`, and where it is told to. As a rule it is stricter: the whole of aws-iam's
file counts, so that address, authority and server name in it must be right; and the API server
itself goes by it, or the forwarder does.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import yaml

# The values of the option `webhook-caller`.
API_SERVER, FORWARDER, ORIGINAL = CALLERS = ("kube-apiserver", "forwarder", "original")
RENDERED = "/root/cdk/auth-webhook/auth-webhook.py"
TRUST = "/root/cdk/auth-webhook/trust.json"

_FORWARDER_URL = "http://127.0.0.1:5000/"
# The original's lines. As there, a value stands between the quotes as it was given.
_RENDERED = '''\
#!/usr/bin/env python3
"""Where the control plane's forwarder sends token reviews."""

AWS_IAM_ENDPOINT = '{aws_iam}'
CUSTOM_AUTHN_ENDPOINT = '{custom}'
'''


@dataclass(frozen=True)
class Trust:
    """Whose certificates the forwarder takes.

    `authorities` are in PEM; where they are empty, those count that the machine trusts. Where
    `server_name` is empty, the certificate must be for the URL's host.
    """

    authorities: str
    server_name: str = ""


def url(kubeconfig: str) -> str:
    """Return the URL in aws-iam's file.

    Raises:
        yaml.YAMLError, KeyError, IndexError, TypeError: the file is not what it should be. The
            original's hook fails on that too.
    """
    found = _cluster(kubeconfig)["server"]
    if not isinstance(found, str):
        raise TypeError(f"clusters[0].cluster.server is no text: {found!r}")
    return found


def trust(kubeconfig: str) -> Trust:
    """Return the trust in aws-iam's file, the machine's where it is empty. Raises as `url`."""
    if not kubeconfig:
        return Trust("")
    cluster = _cluster(kubeconfig)
    authorities = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return Trust(authorities, cluster.get("tls-server-name", ""))


def _cluster(kubeconfig: str) -> dict[str, str]:
    return yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]


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


def rendered(*, aws_iam: str = "", custom: str = "") -> str:
    """Return the program that names the URLs: aws-iam's, and the option's."""
    return _RENDERED.format(aws_iam=aws_iam, custom=custom)


def trusted(what: Trust | None) -> str:
    """Return the text of the forwarder's file of trust; None for none, as the original."""
    return json.dumps(vars(what) if what else {}) + "\n"
