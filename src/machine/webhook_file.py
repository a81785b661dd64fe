# SPDX-License-Identifier: Apache-2.0

"""The webhook's kubeconfig, which this machine's control plane reads. Pure."""

from __future__ import annotations

import re

import templating
from certificates import SERVER_NAME
from owner import Owner
from text import in_base64, in_url

PORT = 443
# The line of the webhook's kubeconfig that says whose it is.
_OWNER = re.compile(r'^# Owner: "(.*)"$', re.MULTILINE)


def endpoint(address: str) -> str:
    """Return the URL of the webhook at the Service's ``address``."""
    return f"https://{in_url(address)}:{PORT}/authenticate"


def render(owner: Owner, address: str, ca: str) -> str:
    """Return the kubeconfig for kube-apiserver's ``--authentication-token-webhook-config-file``.

    ``ca`` is PEM. The TLS server name is the Service's, so the certificate need not cover its
    address, which some authorities do not sign.
    """
    return templating.render(
        "webhook.yaml",
        owner=owner.mark,
        server=endpoint(address),
        tls_server_name=SERVER_NAME,
        ca=in_base64(ca),
    )


def owner_of(text: str) -> str:
    """Return the mark of the application that wrote a webhook's kubeconfig; empty without one."""
    found = _OWNER.search(text)
    return found[1] if found else ""
