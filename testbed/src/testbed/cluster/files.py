"""The files that a machine is born with: keys, kubeconfigs, settings, flags and facts."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from testbed.cluster import pki, settings
from testbed.cluster.images import CA_BUNDLE
from testbed.cluster.osrelease import os_release
from testbed.cluster.settings import (
    ARGS,
    FILES,
    LAB_ADDRESS,
    PKI,
    REGISTRY,
    REGISTRY_CERTS,
    Settings,
)

LOCAL_AUTHORITY = "/usr/local/share/ca-certificates/testbed-aws.crt"
"""Where `update-ca-certificates` finds the authority of AWS's stand-in, and so keeps it."""


@dataclass(frozen=True)
class Authorities:
    """What a machine trusts, in PEM: the whole bundle, AWS's stand-in alone, and the registry."""

    bundle: bytes
    aws: bytes
    registry: bytes


@dataclass(frozen=True)
class ModelKeys:
    """What a model's machines share: the cluster's authority, the service accounts' key."""

    authority: pki.Pair
    service_accounts: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls) -> ModelKeys:
        """Return new keys."""
        return cls(pki.new_authority("kubernetes-ca"), pki.new_key())


def machine_files(
    machine: Settings, keys: ModelKeys, cgroup: str, trusted: Authorities
) -> dict[str, bytes]:
    """Return the content of each file, by absolute path."""
    texts = {
        f"{FILES}/machine.env": settings.machine_env(machine),
        f"{FILES}/kubelet.yaml": settings.kubelet_config(machine, cgroup),
        f"{FILES}/kube-proxy.yaml": settings.kube_proxy_config(machine),
        "/etc/containerd/config.toml": settings.containerd_config(machine),
        "/etc/cni/net.d/10-pods.conflist": settings.cni_config(machine),
        "/etc/hostname": f"{machine.hostname}\n",
        "/etc/hosts": f"127.0.0.1 localhost\n{machine.address} {machine.hostname}\n"
        f"{LAB_ADDRESS} {REGISTRY}\n",
        "/etc/os-release": os_release(machine.base),
        "/etc/resolv.conf": f"nameserver {LAB_ADDRESS}\n",
    }
    for app, flags in settings.default_flags(machine).items():
        texts[f"{ARGS}/{app}"] = "".join(f"{flag}\n" for flag in flags)
    files = {path: text.encode() for path, text in texts.items()}
    authorities = {
        CA_BUNDLE: trusted.bundle,
        LOCAL_AUTHORITY: trusted.aws,
        f"{REGISTRY_CERTS}/{REGISTRY}/ca.crt": trusted.registry,
    }
    return {**files, **authorities, **_keys(machine, keys), **_kubeconfigs(machine, keys)}


def _keys(machine: Settings, keys: ModelKeys) -> dict[str, bytes]:
    authority = keys.authority
    pairs = {
        "kube-apiserver": pki.issue(authority, "kube-apiserver", sans=_apiserver_names(machine)),
        "kube-apiserver-kubelet-client": pki.issue(
            authority, "kube-apiserver-kubelet-client", group="system:masters"
        ),
        "kubelet": pki.issue(
            authority,
            f"system:node:{machine.hostname}",
            group="system:nodes",
            sans=[machine.hostname, machine.address],
        ),
    }
    files = {
        f"{PKI}/ca.crt": authority.certificate_pem,
        f"{PKI}/ca.key": authority.key_pem,
        f"{PKI}/service-account.key": pki.private_pem(keys.service_accounts),
        f"{PKI}/service-account.pub": pki.public_pem(keys.service_accounts),
    }
    for name, pair in pairs.items():
        files[f"{PKI}/{name}.crt"] = pair.certificate_pem
        files[f"{PKI}/{name}.key"] = pair.key_pem
    return files


def _kubeconfigs(machine: Settings, keys: ModelKeys) -> dict[str, bytes]:
    users = {
        "admin": ("admin", "system:masters"),
        "kube-controller-manager": ("system:kube-controller-manager", ""),
        "kube-scheduler": ("system:kube-scheduler", ""),
        "kube-proxy": ("system:kube-proxy", ""),
        "kubelet": (f"system:node:{machine.hostname}", "system:nodes"),
    }
    files = {}
    for name, (user, group) in users.items():
        client = pki.issue(keys.authority, user, group=group)
        text = pki.kubeconfig(machine.server, keys.authority, client, user)
        files[f"{PKI}/{name}.kubeconfig"] = text.encode()
    return files


def _apiserver_names(machine: Settings) -> list[str]:
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    first_of_services = settings.first_service_address()
    return [
        *service,
        "kubernetes.default.svc.cluster.local",
        "localhost",
        machine.hostname,
        "127.0.0.1",
        machine.address,
        first_of_services,
    ]
