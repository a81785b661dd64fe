"""Intercepts hooks: a hook of an intercepted application uses a kubeconfig of the proxy.

The hook starts in a mount namespace of its own, where that kubeconfig covers /root/.kube/config.
Only the hook sees it, so the proxy gets no other program's requests, and anybody may change the
real file meanwhile.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from testbed.faults.breakage import Breakages
from testbed.faults.proxy import Caller, Files, Proxy
from testbed.faults.requests import RequestLog
from testbed.juju.errors import JujuError
from testbed.juju.hooktools.context import Context

_PKI = "/var/lib/testbed/pki"
_FOLDER = "/var/lib/testbed/faults"
_KUBECONFIG = "/root/.kube/config"
_SEEN_INSTEAD = f'[ ! -f {_KUBECONFIG} ] || mount --bind "$0" {_KUBECONFIG}; exec "$@"'

Key = tuple[str, str]  # a model's uuid, an application's name


class Intercepts:
    """The intercepted applications: the requests of each, and its proxy on each machine.

    `breakages` holds what else is broken for the models' machines. `state` is the lab's folder.
    """

    def __init__(self, state: Path) -> None:
        self.breakages = Breakages(state)
        self._lock = threading.Lock()
        self._requests: dict[Key, RequestLog] = {}
        self._proxies: dict[tuple[Key, str], Proxy] = {}

    def add(self, model: str, application: str) -> None:
        """Intercept an application from its next hook on. A new one starts without requests."""
        with self._lock:
            self._requests.setdefault((model, application), RequestLog())

    def remove(self, model: str, application: str = "") -> None:
        """Stop intercepting an application, or every application of the model, which is mended."""
        if not application:
            self.breakages.mend(model)
        with self._lock:
            keys = [k for k in self._requests if k[0] == model and application in ("", k[1])]
            proxies = [self._proxies.pop(k) for k in list(self._proxies) if k[0] in keys]
            for key in keys:
                del self._requests[key]
        for proxy in proxies:
            proxy.close()

    def requests(self, model: str, application: str) -> RequestLog:
        """Return the requests of an application. Raise JujuError if it is not intercepted."""
        try:
            return self._requests[model, application]
        except KeyError:
            raise JujuError(
                f'"{application}" is not intercepted; run: testbedctl faults on {application}'
            ) from None

    def intercept(self, context: Context, argv: Sequence[str]) -> list[str]:
        """Return the command that runs a hook, through the proxy if it is to be intercepted."""
        key = (context.model.uuid, context.application.name)
        with self._lock:
            requests = self._requests.get(key)
            if requests is None:
                return list(argv)
            host = context.unit.machine.host
            assert host is not None
            proxy = self._proxies.get((key, host.id))
            if proxy is None:
                proxy = self._proxies[key, host.id] = _proxy(host, key[1], requests)
        hook = context.hook.name if context.hook else context.action.name if context.action else ""
        proxy.caller = Caller(context.id, hook)
        seen = f"{_FOLDER}/{key[1]}/kubeconfig"
        return ["/usr/bin/unshare", "--mount", "--", "/bin/sh", "-c", _SEEN_INSTEAD, seen, *argv]


def _proxy(host: Any, application: str, requests: RequestLog) -> Proxy:
    """Start a proxy for a machine, and put its kubeconfig on the machine."""
    root = Path(host.root)
    folder = root / f"{_FOLDER}/{application}".lstrip("/")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = _own_address(host.address)
    files = _files(root / _PKI.lstrip("/"), folder, address)
    kubeconfig = yaml.safe_load((root / f"{_PKI}/admin.kubeconfig".lstrip("/")).read_text())
    cluster = kubeconfig["clusters"][0]["cluster"]
    proxy = Proxy(address, cluster["server"], files, requests)
    cluster["server"] = proxy.url
    (folder / "kubeconfig").touch(mode=0o600)
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    return proxy


def _files(pki_folder: Path, folder: Path, address: str) -> Files:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from testbed.cluster import pki

    certificate = x509.load_pem_x509_certificate((pki_folder / "ca.crt").read_bytes())
    key = serialization.load_pem_private_key((pki_folder / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    pair = pki.issue(pki.Pair(certificate, key), "admin", group="system:masters", sans=[address])
    files = Files(pki_folder / "ca.crt", folder / "proxy.crt", folder / "proxy.key")
    files.key.touch(mode=0o600)
    files.key.write_bytes(pair.key_pem)
    files.certificate.write_bytes(pair.certificate_pem)
    return files


def _own_address(remote: str) -> str:
    """Return the address of this process as `remote` sees it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((remote, 9))
        return probe.getsockname()[0]
