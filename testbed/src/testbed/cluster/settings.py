"""The config files of a machine, and the flags of its snaps. Pure."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from typing import Any

import yaml

from testbed.cluster.images import PAUSE

FILES = "/var/lib/testbed"
PKI = f"{FILES}/pki"
ARGS = f"{FILES}/args"
PROGRAMS = f"{FILES}/programs"

SERVICE_CIDR = "10.152.183.0/24"
LAB_NETWORK = ipaddress.ip_network("10.85.0.0/24")
LAB_ADDRESS = "10.85.0.1"
AWS_ADDRESS = "192.0.2.10"
REGISTRY = "registry.example.com"
"""The host of the registry that wants credentials. It has the operator's machine's address."""
REGISTRY_CERTS = "/etc/containerd/certs.d"
ETCD = f"http://{LAB_ADDRESS}:2379"

SNAPS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)

_FIRST_HOST = 10
_MAX_MACHINES = 200
"""The number of addresses between the first machine's and the end of the network."""


@dataclass(frozen=True)
class Settings:
    """What differs between machines. `index` is unique in the lab, `number` in the model."""

    model: str
    number: int
    index: int
    cgroup_version: int
    may_raise_limits: bool
    base: str = "ubuntu@24.04"

    def __post_init__(self) -> None:
        if not 0 <= self.index < _MAX_MACHINES:
            raise ValueError(f"a lab holds at most {_MAX_MACHINES} machines")

    @property
    def hostname(self) -> str:
        """The machine's name, in the form that Juju gives to cloud instances."""
        return f"juju-{self.model}-{self.number}"

    @property
    def address(self) -> str:
        """The machine's address on the lab's bridge."""
        return str(LAB_NETWORK[_FIRST_HOST + self.index])

    @property
    def pod_cidr(self) -> str:
        """The addresses of the pods on this machine."""
        return f"10.1.{self.index}.0/24"

    @property
    def server(self) -> str:
        """The URL of this machine's API server."""
        return f"https://{self.address}:6443"

    @property
    def etcd_prefix(self) -> str:
        """The prefix of the model's keys in the lab's etcd."""
        return f"/registry-{self.model}"


def first_service_address() -> str:
    """Return the cluster address of the API server's own Service."""
    return str(ipaddress.ip_network(SERVICE_CIDR)[1])


def machine_env(settings: Settings) -> str:
    """Return what a charm needs to know of the machine, as KEY=VALUE lines."""
    facts = {
        "ADDRESS": settings.address,
        "NODE_NAME": settings.hostname,
        "POD_CIDR": settings.pod_cidr,
        "SERVICE_CIDR": SERVICE_CIDR,
        "ETCD": ETCD,
        "ETCD_PREFIX": settings.etcd_prefix,
        "PROGRAMS": PROGRAMS,
        "DNS": LAB_ADDRESS,
    }
    return "".join(f"{key}={value}\n" for key, value in facts.items())


def default_flags(settings: Settings) -> dict[str, list[str]]:
    """Return each snap's default flags, which a charm may change."""
    return {
        "kube-apiserver": _apiserver_flags(settings),
        "kube-controller-manager": [
            f"--kubeconfig={PKI}/kube-controller-manager.kubeconfig",
            f"--root-ca-file={PKI}/ca.crt",
            f"--service-account-private-key-file={PKI}/service-account.key",
            "--use-service-account-credentials",
            *_quick(),
        ],
        "kube-scheduler": [
            f"--kubeconfig={PKI}/kube-scheduler.kubeconfig",
            *_quick(),
        ],
        "kubelet": [
            f"--config={FILES}/kubelet.yaml",
            f"--kubeconfig={PKI}/kubelet.kubeconfig",
            f"--hostname-override={settings.hostname}",
            f"--node-ip={settings.address}",
        ],
        "kube-proxy": [f"--config={FILES}/kube-proxy.yaml"],
    }


def _apiserver_flags(settings: Settings) -> list[str]:
    return [
        f"--advertise-address={settings.address}",
        "--bind-address=0.0.0.0",
        "--secure-port=6443",
        f"--etcd-servers={ETCD}",
        f"--etcd-prefix={settings.etcd_prefix}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--client-ca-file={PKI}/ca.crt",
        f"--tls-cert-file={PKI}/kube-apiserver.crt",
        f"--tls-private-key-file={PKI}/kube-apiserver.key",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/kube-apiserver-kubelet-client.crt",
        f"--kubelet-client-key={PKI}/kube-apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={PKI}/service-account.pub",
        f"--service-account-signing-key-file={PKI}/service-account.key",
        "--allow-privileged=true",
        "--profiling=false",
        "--shutdown-send-retry-after=true",
        "--authorization-mode=AlwaysAllow",
    ]


def _quick() -> list[str]:
    """Return flags that make a component act, and take over from a lost leader, within seconds."""
    return [
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--leader-elect-lease-duration=4s",
        "--leader-elect-renew-deadline=3s",
        "--leader-elect-retry-period=500ms",
    ]


def kubelet_config(settings: Settings, cgroup: str) -> str:
    """Return the kubelet's config file, which puts pods below the control group `cgroup`."""
    content: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "protectKernelDefaults": True,
        "resolvConf": "/etc/resolv.conf",
        "tlsCertFile": f"{PKI}/kubelet.crt",
        "tlsPrivateKeyFile": f"{PKI}/kubelet.key",
    }
    if settings.cgroup_version == 1:
        content["failCgroupV1"] = False
    return yaml.safe_dump(content)


def kube_proxy_config(settings: Settings) -> str:
    """Return kube-proxy's config file, which leaves the host's connection tracking as it is."""
    content = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{PKI}/kube-proxy.kubeconfig"},
        "conntrack": {"maxPerCore": 0},
        "hostnameOverride": settings.hostname,
        "mode": "nftables",
    }
    return yaml.safe_dump(content)


def containerd_config(settings: Settings) -> str:
    """Return containerd's config file. Without CAP_SYS_RESOURCE runc may not lower OOM scores."""
    restricted = json.dumps(not settings.may_raise_limits)
    return f"""version = 3
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{PAUSE}"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "{REGISTRY_CERTS}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = {restricted}
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{PROGRAMS}"]
    conf_dir = "/etc/cni/net.d"
"""


def cni_config(settings: Settings) -> str:
    """Return the pod network's config file. Pods are routed, because kube-proxy's rules do not see
    traffic inside a bridge."""
    content = {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": settings.pod_cidr}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }
    return json.dumps(content, indent=2)
