"""A proxy that is the pods' only way to AWS. On the testbed, which runs the tests as root."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
from collections.abc import Iterator
from typing import cast

import jubilant
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.integration.helpers.kubernetes import Cluster

from testbed.cluster import pki
from testbed.cluster.network import BRIDGE
from testbed.cluster.settings import AWS_ADDRESS
from testbed.connectproxy import ConnectProxy

ADDRESS = "192.0.2.20"
_RULES = """
table ip {table} {{
  chain input {{
    type filter hook input priority 0
    ip saddr {{ {sources} }} ip daddr {aws} tcp dport 443 reject with tcp reset
  }}
}}
"""


@contextlib.contextmanager
def only_way_to_aws(cluster: Cluster, authority: pki.Pair) -> Iterator[ConnectProxy]:
    """Refuse the cluster's connections to AWS, and serve a proxy that reaches it."""
    address = (f"{ADDRESS}/32", "dev", BRIDGE)
    _run("ip", "address", "add", *address)
    try:
        with no_way_to_aws(cluster), ConnectProxy(ADDRESS, authority) as proxy:
            yield proxy
    finally:
        _run("ip", "address", "delete", *address)


@contextlib.contextmanager
def no_way_to_aws(cluster: Cluster) -> Iterator[None]:
    """Refuse the cluster's connections to AWS: those of its machines, and of their pods.

    Other models of the lab keep theirs, and each has a table of its own: their tests run at once.
    """
    table = f"no_way_to_aws_{secrets.token_hex(4)}"
    sources = ", ".join(_sources(cluster))
    _run("nft", "--file", "-", stdin=_RULES.format(table=table, sources=sources, aws=AWS_ADDRESS))
    try:
        yield
    finally:
        _run("nft", "delete", "table", "ip", table)


def authority_of(juju: jubilant.Juju, unit: str) -> pki.Pair:
    """Return the authority of a self-signed-certificates unit, which owns it as a secret."""

    command = ("secret-get", "--label", "authority", "--format=json")
    content: dict[str, str] = json.loads(juju.exec(*command, unit=unit).stdout)
    certificate = x509.load_pem_x509_certificate(content["ca-certificate"].encode())
    key = load_pem_private_key(content["private-key"].encode(), None)
    return pki.Pair(certificate, cast("pki.ec.EllipticCurvePrivateKey", key))


def _sources(cluster: Cluster) -> Iterator[str]:
    """Yield the addresses of the cluster's machines, and of the pods on them.

    The lab routes each machine's pods through the machine, and leaves their addresses as they are.
    """
    for node in cluster.get("nodes")["items"]:
        for address in node["status"]["addresses"]:
            if address["type"] == "InternalIP":
                yield address["address"]
                routes = _run("ip", "-json", "route", "show", "via", address["address"])
                yield from (route["dst"] for route in json.loads(routes))


def _run(*command: str, stdin: str | None = None) -> str:
    done = subprocess.run(
        command, input=stdin, stdout=subprocess.PIPE, text=True, check=True, timeout=20
    )
    return done.stdout
