"""A proxy that is the pods' only way to AWS. On the testbed, which runs the tests as root."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from typing import cast

import jubilant
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from testbed.cluster import pki
from testbed.cluster.network import BRIDGE
from testbed.cluster.settings import AWS_ADDRESS
from testbed.connectproxy import ConnectProxy

ADDRESS = "192.0.2.20"
_TABLE = "behind_a_proxy"
_RULES = f"""
table ip {_TABLE} {{
  chain input {{
    type filter hook input priority 0
    iifname "{BRIDGE}" ip daddr {AWS_ADDRESS} tcp dport 443 reject with tcp reset
  }}
}}
"""


@contextlib.contextmanager
def only_way_to_aws(authority: pki.Pair) -> Iterator[ConnectProxy]:
    """Refuse the machines' and pods' connections to AWS, and serve a proxy that reaches it."""
    address = (f"{ADDRESS}/32", "dev", BRIDGE)
    _run("ip", "address", "add", *address)
    try:
        with no_way_to_aws(), ConnectProxy(ADDRESS, authority) as proxy:
            yield proxy
    finally:
        _run("ip", "address", "delete", *address)


@contextlib.contextmanager
def no_way_to_aws() -> Iterator[None]:
    """Refuse the machines' and pods' connections to AWS."""
    _run("nft", "--file", "-", stdin=_RULES)
    try:
        yield
    finally:
        _run("nft", "delete", "table", "ip", _TABLE)


def authority_of(juju: jubilant.Juju, unit: str) -> pki.Pair:
    """Return the authority of a self-signed-certificates unit, which owns it as a secret."""

    def get(key: str) -> bytes:
        command = ("secret-get", "--label", "authority", key)
        return juju.exec(*command, unit=unit).stdout.encode()

    certificate = x509.load_pem_x509_certificate(get("ca-certificate"))
    key = cast("pki.ec.EllipticCurvePrivateKey", load_pem_private_key(get("private-key"), None))
    return pki.Pair(certificate, key)


def _run(*command: str, stdin: str | None = None) -> None:
    subprocess.run(command, input=stdin, text=True, check=True, timeout=20)
