# SPDX-License-Identifier: Apache-2.0

"""The webhook on this machine: its kubeconfig, and where the control plane sends logins."""

from __future__ import annotations

import ipaddress
import re

import templating
from certificates import SERVER_NAME
from machine import files
from machine.files import Machine
from owner import Owner
from text import in_base64, in_url, is_ip

PORT = 443
# The line of the webhook's kubeconfig that says whose it is.
_OWNER = re.compile(r'^# Owner: "(.*)"$', re.MULTILINE)

# How both kinds of control plane render, verbatim, what the relation and the option gave them.
# Source: kubernetes-control-plane's template of auth-webhook.py.
_RENDERED = r"""^{}\s*=\s*(['"])(?P<value>.*)\1\s*$"""
_BY_RELATION = re.compile(_RENDERED.format("AWS_IAM_ENDPOINT"), re.MULTILINE)
_BY_OPTION = re.compile(_RENDERED.format("CUSTOM_AUTHN_ENDPOINT"), re.MULTILINE)
_AUTHENTICATOR = re.compile(
    r"https://(\[(?P<v6>[0-9a-fA-F:]+)\]|(?P<v4>[0-9.]+))(:443)?/authenticate"
)


def endpoint(address: str) -> str:
    """Return the URL of the webhook at the Service's ``address``."""
    return f"https://{in_url(address)}:{PORT}/authenticate"


def render(owner: Owner, address: str, ca: str) -> str:
    """Return the kubeconfig for kube-apiserver's ``--authentication-token-webhook-config-file``.

    ``ca`` is PEM. The TLS server name is the Service's, so the certificate need not cover its
    address, which some authorities do not sign.
    """
    return templating.render(
        "webhook.yaml.j2",
        owner=owner.mark,
        server=endpoint(address),
        tls_server_name=SERVER_NAME,
        ca=in_base64(ca),
    )


def is_foreign(machine: Machine, owner: Owner) -> bool:
    """Return whether another application wrote the webhook's kubeconfig on this machine."""
    found = _OWNER.search(files.read(machine.webhook) or "")
    return owner.is_foreign(found[1] if found else "")


def by_relation(machine: Machine) -> str | None:
    """Return the URL that the control plane has from the relation; empty if it has none, None if
    nobody can say."""
    return _rendered(_BY_RELATION, machine)


def by_option(machine: Machine) -> str | None:
    """Return the URL that the control plane has from its option, as `by_relation` does."""
    return _rendered(_BY_OPTION, machine)


def _rendered(line: re.Pattern[str], machine: Machine) -> str | None:
    found = line.search(files.read(machine.auth_webhook) or "")
    return found["value"] if found else None


def is_at(address: str, url: str | None) -> bool:
    """Return whether ``url`` is the one of the webhook at ``address``; no address has one."""
    found = _AUTHENTICATOR.fullmatch(url or "")
    host = (found["v6"] or found["v4"]) if found else ""
    if not (address and is_ip(host)):
        return False
    return ipaddress.ip_address(host) == ipaddress.ip_address(address)


def asks(machine: Machine, address: str) -> bool:
    """Return whether the control plane sends logins to ``address``, or nobody can say.

    It is the control plane's own word: it goes on asking there until it has rendered another.
    """
    if not address or not machine.auth_webhook.exists():
        return False
    if files.read(machine.auth_webhook) is None:
        return True
    # With spaces around it, or without TLS, nobody logs in by a URL, and tokens still go there.
    urls = filter(None, (by_option(machine), by_relation(machine)))
    return any(is_at(address, url.strip().replace("http:", "https:")) for url in urls)
