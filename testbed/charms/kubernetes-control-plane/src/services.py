"""The Kubernetes services of the machine, run as Charmed Kubernetes' snaps are."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from host import Host

API_SERVER = "kube-apiserver"
WEBHOOK = "/var/snap/kube-apiserver/current/webhook.yaml"

_FORWARDER = "cdk.master.auth-webhook.service"
_FORWARDER_PROGRAM = "/root/cdk/auth-webhook/forwarder.py"
_FORWARDER_RUNNING_WITH = "/root/cdk/auth-webhook/running-with"
_KUBELET = "kubelet"
_COMPONENTS = ("kube-controller-manager", "kube-scheduler", "kube-proxy")
_TRACK = "1.29"
_CACHE_TTL = "1m0s"
_TAINT = "node-role.kubernetes.io/control-plane=:NoSchedule"
_ROLE = "node-role.kubernetes.io/control-plane="
_READY_SECONDS = 30
_REGISTERED_SECONDS = 10
_PAUSE_SECONDS = 0.1
_PROXY_CONFIG = "/var/lib/testbed/kube-proxy.yaml"
_RUNNING_WITH = "/var/snap/kube-apiserver/current/running-with"


def offers(host: Host, programs: str, channel: str) -> bool:
    """Say whether there is a Kubernetes of a snap channel, as `1.28/stable`."""
    return host.path(f"{_of_channel(host, programs, channel)}/{API_SERVER}").exists()


def install(host: Host, programs: str, channel: str) -> None:
    """Take the programs from a snap channel, unless an API server has run here already."""
    if host.text(_RUNNING_WITH):
        return
    folder = _of_channel(host, programs, channel)
    for app in (API_SERVER, *_COMPONENTS, _KUBELET):
        host.link(f"/snap/{app}/current", folder)
    if folder != programs:
        _use_iptables(host)


def needs_upgrade(host: Host, programs: str, channel: str) -> bool:
    """Say whether a snap channel has other programs than those that run here."""
    current = host.path(f"/snap/{API_SERVER}/current").readlink()
    return str(current) != _of_channel(host, programs, channel)


def upgrade(host: Host, programs: str, channel: str) -> None:
    """Run the programs of a snap channel: the API server first, as no other may be newer."""
    for app in (API_SERVER, *_COMPONENTS, _KUBELET):
        host.link(f"/snap/{app}/current", _of_channel(host, programs, channel))
        host.systemctl("restart", _service(app))


def _use_iptables(host: Host) -> None:
    """kube-proxy knows nftables since 1.29."""
    config = host.read(_PROXY_CONFIG).replace("mode: nftables", "mode: iptables")
    host.write(_PROXY_CONFIG, config)


def version(host: Host) -> str:
    """Return the version of what `install` took."""
    said = host.output(f"/snap/{API_SERVER}/current/{API_SERVER}", "--version")
    return said.split()[-1].removeprefix("v")


def api_server_flags(host: Host, authorization_mode: str, extra: str, *, webhook: bool) -> str:
    """Return the API server's flags, one a line: the machine's own, the mode and the webhook.

    `extra`, as `flag1=value flag2`, wins over all of them.
    """
    lines = _machine_flags(host, API_SERVER).splitlines()
    flags = dict(_split(line.removeprefix("--")) for line in lines)
    flags.pop("authorization-mode", None)
    flags["authorization-mode"] = authorization_mode
    if webhook:
        flags["authentication-token-webhook-config-file"] = WEBHOOK
        flags["authentication-token-webhook-cache-ttl"] = _CACHE_TTL
    flags |= dict(map(_split, extra.split()))
    return "".join(f"--{name}={value}\n" for name, value in flags.items())


def _split(flag: str) -> tuple[str, str]:
    name, _, value = flag.partition("=")
    return name, value or "true"


def run_api_server(host: Host, flags: str, webhook: str) -> None:
    """Have the API server run with these flags and this webhook file; it reads both at its start.

    It is restarted only if it runs with others. A hook that dies on the way does it again.
    """
    wanted = hashlib.sha256(f"{flags}\0{webhook}".encode()).hexdigest()
    service = _service(API_SERVER)
    if host.text(_RUNNING_WITH) == wanted and host.systemctl("is-active", service):
        return
    if webhook:
        host.write(WEBHOOK, webhook)
    host.write(_flags_file(API_SERVER), flags)
    host.systemctl("restart", service)
    if not webhook:
        host.path(WEBHOOK).unlink(missing_ok=True)
    host.write(_RUNNING_WITH, wanted)


def run_forwarder(host: Host, rendered: str) -> None:
    """Have the forwarder run, which the API server asks unless it asks aws-iam itself.

    It reads what is `rendered` for it at its start, so it is restarted when that changes. Until
    it listens again, the API server refuses every token that it does not remember.
    """
    program = Path(__file__).with_name("forwarder.py").read_text()
    wanted = hashlib.sha256(f"{program}\0{rendered}".encode()).hexdigest()
    if host.text(_FORWARDER_RUNNING_WITH) == wanted and host.systemctl("is-active", _FORWARDER):
        return
    host.write(_FORWARDER_PROGRAM, program)
    host.systemctl("restart", _FORWARDER)
    host.write(_FORWARDER_RUNNING_WITH, wanted)


def run_others(host: Host, node: str) -> None:
    """Start what does not run yet; a new node is tainted, and labelled once it is there."""
    if host.systemctl("is-active", _service(_KUBELET)):
        return
    for app in (*_COMPONENTS, _KUBELET):
        flags = _machine_flags(host, app)
        if app == _KUBELET:
            flags += f"--register-with-taints={_TAINT}\n"
        host.write(_flags_file(app), flags)
        host.systemctl("start", _service(app))
    _await(_REGISTERED_SECONDS, lambda: host.kubectl("label", "--overwrite", "node", node, _ROLE))


def stop(host: Host, node: str) -> None:
    """Take the machine out of its cluster."""
    for app in (_KUBELET, *_COMPONENTS):
        host.systemctl("stop", _service(app))
    host.kubectl("delete", "node", node, "--wait=false")
    host.systemctl("stop", _service(API_SERVER))
    host.systemctl("stop", _FORWARDER)
    host.path(_RUNNING_WITH).unlink(missing_ok=True)


def api_server_answers(host: Host, *, wait: bool) -> bool:
    """Say whether the API server is ready; with `wait`, give it the time that a start takes."""
    return _await(_READY_SECONDS if wait else 0, lambda: host.kubectl("get", "--raw=/readyz"))


def _await(seconds: float, done: Callable[[], bool]) -> bool:
    """Ask again until the answer is yes or the time is up; ask once at least."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def _of_channel(host: Host, programs: str, channel: str) -> str:
    """Return the folder of a channel's programs.

    The newest ones stand in for those of this charm's own track, unless the lab has built these.
    """
    track = channel.partition("/")[0]
    own = f"{programs}/{track}"
    is_built = host.path(f"{own}/{API_SERVER}").exists()
    return programs if track == "latest" or (track == _TRACK and not is_built) else own


def _machine_flags(host: Host, app: str) -> str:
    return host.read(f"/var/lib/testbed/args/{app}")


def _flags_file(app: str) -> str:
    return f"/var/snap/{app}/current/args"


def _service(app: str) -> str:
    return f"snap.{app}.daemon.service"
