"""``python -m benchmarks.load``: where logins end when many come, and what AWS and ten thousand
mappings do to them. ``make bench LOAD=1`` runs it in a lab, and it ends by itself.

All clients, servers and the STS share the machine's cores, so what is read is each program's share
and the ratios; more cores serve more.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jubilant
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tests.integration.helpers import bundle, juju_status, kubernetes, logins
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes, servers, tokens

from benchmarks import crowd, hooks, mappings, programs, rights, starting
from benchmarks.crowd import Crowd, Login
from testbed import testbedctl
from testbed.faults.client import Faults, broken

UNIT = "aws-iam/0"
DIRECTLY, FORWARDER = "kube-apiserver", "original"
CALLERS = {DIRECTLY: "API server", FORWARDER: "forwarder"}
LATENCIES = (0.005, 0.05)
PEOPLE = 32
WINDOW, ALONE = 6.0, 2.0
BURST, BURST_SECONDS = 300, 20
# What breaks, how many logins a second come meanwhile, and for how long.
STEADY, STEADY_SECONDS, AFTERWARDS = 5, 10, 4
TROUBLES = {
    "answers at once": "sts:slow:0",
    "throttles one in ten": "sts:throttled:10",
    "throttles all": "sts:throttled",
    "takes 5 s": "sts:slow:5",
    "refuses connections": "sts",
    "does not answer": "sts:silent",
}
MODELS, HOOKS_AN_HOUR = 1000, 12
API_SERVER = "snap.kube-apiserver.daemon.service"


@dataclass(frozen=True)
class Site:
    """What is deployed, and who logs in there."""

    juju: jubilant.Juju
    cluster: Cluster
    crowd: Crowd

    def call_webhook_by(self, caller: str) -> None:
        """Have the API server ask the authenticator itself, or the forwarder do it."""
        self.juju.config("kubernetes-control-plane", {"webhook-caller": caller})
        self.settle()

    def settle(self) -> None:
        """Wait until every pod lets people in again, all the time."""
        juju_status.wait_until_active(self.juju)
        alone = self.crowd.at_once
        eventually(lambda: not crowd.failed(alone(1, ALONE)), "logins", seconds=120, interval=1)


def main() -> None:
    """Print every table as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--mappings", type=int, default=10_000)
    parser.add_argument("--rights", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=2_000)
    options = parser.parse_args()
    console = Console(highlight=False, width=130)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        console.print(f"{os.cpu_count()} cores, {_memory():.0f} GiB; load: {_load()}")
        site = _deploy(Path(folder))
        console.print(_share_of_the_controller())
        console.print("as many logins as there can be …")
        table, burst = _throughput(site)
        console.print(table)
        console.print(f"load: {_load()}; {BURST} came a second for {BURST_SECONDS} s:")
        console.print(burst)
        console.print(f"load: {_load()}; {options.clients:,} clients come back after a restart …")
        console.print(_after_restart(site, options.clients))
        console.print(f"load: {_load()}; {STEADY} logins a second, and the STS …")
        console.print(_troubles(site))
        console.print(f"load: {_load()}; {options.mappings:,} mappings …")
        console.print(_thousands(site, options.mappings, options.rights))
        console.print(f"load: {_load()}; all of this took {time.monotonic() - began:.0f} s")


def _deploy(folder: Path) -> Site:
    juju = jubilant.Juju(model=hooks.MODEL)
    bundle.deploy(juju)
    juju_status.wait_until_active(juju)
    cluster = kubernetes.connect(juju, folder)
    cluster.map("knobby", kubernetes.arns.ROLE, "knobby", "view")
    cluster.map("directly", "arn:aws:iam::111122223333:user/knobby", "directly")
    logins.wait_for_login(cluster)
    signed = tokens.tokens("knobby", kubernetes.cluster_id(cluster.person))
    server = servers.server(cluster.admin, logins.api_server(cluster.person))
    return Site(juju, cluster, Crowd(server, crowd.taken_from(signed), "directly"))


def _share_of_the_controller() -> Table:
    """Say what settled units ask of Juju and of their API servers."""
    hooks.update_status(UNIT)
    hook = hooks.update_status(UNIT)
    with Faults(hooks.MODEL, "aws-iam") as tap:
        hooks.update_status(UNIT)
        requests = len(tap.requests())
    table = Table("a settled leader", "a hook", "an hour", f"{MODELS:,} models, a second")
    for what, number in (("hook tools", hook.calls), ("API requests", requests)):
        hourly = number * HOOKS_AN_HOUR
        table.add_row(what, f"{number}", f"{hourly}", f"{hourly * MODELS / 3600:.0f}")
    return table


def _throughput(site: Site) -> tuple[Table, Table]:
    """Have as many log in as can, and then more, with the pods asked in either way."""
    table = Table("asked by", "pods", "STS", "alone", f"{PEOPLE} at once", "p50", "p99", "failed")
    for heading in ("× first", f"ms of CPU: {', '.join(programs.NAMES)}"):
        table.add_column(heading)
    burst = Table("asked by", "logins", "a second", "p50", "p99", "failed", "lost", "most memory")
    burst.add_column("why", max_width=40)
    first = 0.0
    for caller, pods in ((DIRECTLY, 1), (DIRECTLY, 2), (FORWARDER, 1), (FORWARDER, 2)):
        site.juju.config("aws-iam", {"replicas": pods})
        site.call_webhook_by(caller)
        for latency in LATENCIES:
            with broken(hooks.MODEL, f"sts:slow:{latency}"):
                alone = site.crowd.at_once(1, ALONE)
                found, cpu = _with_cpu(lambda: site.crowd.at_once(PEOPLE, WINDOW))
            rate = crowd.rate(found)
            first = first or rate
            table.add_row(
                CALLERS[caller],
                f"{pods}",
                f"{latency * 1000:.0f} ms",
                _milliseconds(alone, 50),
                f"{rate:.0f}/s",
                *_quality(found),
                f"{rate / first:.2f}",
                " + ".join(f"{cpu[name] * 1000 / len(found):.1f}" for name in programs.NAMES),
            )
        if pods == 1:
            continue
        for pod in programs.pods():
            pod.forget_peak()
        with broken(hooks.MODEL, f"sts:slow:{LATENCIES[-1]}"):
            found = site.crowd.at_rate(BURST, BURST_SECONDS)
        memory = max(pod.mebibytes("VmHWM") for pod in programs.pods())
        burst.add_row(
            CALLERS[caller],
            f"{len(found)}",
            f"{crowd.rate(found):.0f}",
            *_quality(found),
            f"{crowd.lost(found)}",
            f"{memory:.0f} of {_limit(site)}",
            escape(crowd.why(found)),
        )
    return table, burst


def _milliseconds(found: Sequence[Login], percent: int) -> str:
    return f"{crowd.milliseconds(found, percent):.0f} ms"


def _quality(found: Sequence[Login]) -> tuple[str, str, str]:
    """Return what the logins took, and how many failed."""
    return _milliseconds(found, 50), _milliseconds(found, 99), f"{crowd.failed(found)}"


def _after_restart(site: Site, clients: int) -> Table:
    """Restart the API server, and have many clients come back to it as soon as it is ready."""
    # Each client has a connection.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    table = Table("asked by", "ready again after", "logins", "p50", "p99", "failed", "lost")
    for heading in ("last answer after", "most memory", "pods restarted"):
        table.add_column(heading)
    table.add_column("why", max_width=40)
    for caller in (DIRECTLY, FORWARDER):
        site.call_webhook_by(caller)
        prepared = site.crowd.prepared(clients)
        for pod in programs.pods():
            pod.forget_peak()
        restarts = _restarts(site)
        stopped = time.monotonic()
        site.juju.exec("systemctl", "restart", API_SERVER, unit=UNIT)
        eventually(site.crowd.server.is_ready, "ready", interval=0.1)
        back = time.monotonic()
        found = prepared.each_once(clients)
        ended = time.monotonic()
        memory = max(pod.mebibytes("VmHWM") for pod in programs.pods())
        table.add_row(
            CALLERS[caller],
            f"{back - stopped:.1f} s",
            f"{len(found)}",
            *_quality(found),
            f"{crowd.lost(found)}",
            f"{ended - back:.1f} s",
            f"{memory:.0f} of {_limit(site)}",
            f"{_restarts(site) - restarts}",
            escape(crowd.why(found)),
        )
    return table


def _restarts(site: Site) -> int:
    pods = site.cluster.get(*changes.PODS)["items"]
    return sum(each["restartCount"] for pod in pods for each in pod["status"]["containerStatuses"])


def _troubles(site: Site) -> Table:
    table = Table(
        "the STS", "logins", "p50", "p99", "failed", "lost", "well again after", "kubectl"
    )
    for what, fault in TROUBLES.items():
        with broken(hooks.MODEL, fault):
            found = site.crowd.at_rate(STEADY, STEADY_SECONDS)
            asked = time.monotonic()
            done = site.cluster.whoami("knobby")
            said = done.stderr.strip().splitlines()[-1] if done.returncode else "the user"
            took = time.monotonic() - asked
        mended = time.monotonic()
        after = site.crowd.at_rate(STEADY, AFTERWARDS)
        table.add_row(
            what,
            f"{len(found)}",
            *_quality(found),
            f"{crowd.lost(found)}",
            escape(f"{crowd.last_failure(after, mended):.1f} s {crowd.why(after)}"),
            escape(f"{said}, after {took:.1f} s"),
        )
    return table


def _thousands(site: Site, number: int, with_rights: int) -> Table:
    """Have many mappings, some of them declared and with rights."""
    table = Table("what", "took", "of")
    site.cluster.kubectl("create", "namespace", rights.NAMESPACE)
    before = _settled(table, "few mappings", 1.0)
    _starts(site, table, "few mappings")
    took = rights.declare(site.juju, site.cluster, with_rights)
    testbedctl.settle(hooks.MODEL)
    table.add_row(f"{with_rights:,} are declared, and have their rights", f"{took:.1f} s", "")
    mappings.create(site.crowd.server, range(with_rights, number))
    took, _ = mappings.until_effective(site.juju, UNIT)
    table.add_row(f"{number - with_rights:,} more work", f"{took:.1f} s", "")
    many = f"{number:,} mappings"
    _settled(table, many, before)
    one_less = {"mappings": rights.text(with_rights - 1)}
    for action, parameters in (("list-mappings", None), ("plan-mappings", one_less)):
        began = time.monotonic()
        site.juju.run(UNIT, action, parameters)
        table.add_row(f"{action}, {many}", f"{time.monotonic() - began:.1f} s", "")
    _starts(site, table, many)
    return table


def _settled(table: Table, many: str, before: float) -> float:
    """Add the third of three hooks that find nothing to do."""
    hook = [hooks.update_status(UNIT) for _ in range(3)][-1]
    ratio = f"{hook.seconds / before:.1f} × with few" if before != 1.0 else ""
    table.add_row(f"settled update-status, {many}", f"{hook.seconds:.1f} s", ratio)
    return hook.seconds


def _starts(site: Site, table: Table, many: str) -> None:
    """Replace a pod, then both at once. None should be ready before it lets people in."""
    for number in (1, 2):
        started, most = starting.replace(
            site.cluster, number, site.crowd.token, site.crowd.username
        )
        last = max(started, key=lambda start: start.lets_in)
        table.add_row(
            f"{number} new at once: ready, {many}",
            f"{last.ready:.1f} s",
            f"lets people in after {last.lets_in:.1f} s; {most:.0f} of {_limit(site)}",
        )
        site.settle()


def _with_cpu(run: Callable[[], list[Login]]) -> tuple[list[Login], dict[str, float]]:
    """Return the logins, and how long each program ran on a core for them."""
    before = programs.cpu()
    found = run()
    after = programs.cpu()
    return found, {name: after[name] - before[name] for name in after}


def _limit(site: Site) -> str:
    deployment = site.cluster.get("-n", "kube-system", "deployment", "aws-iam-authenticator")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container["resources"]["limits"]["memory"].removesuffix("Mi") + " MiB"


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _load() -> str:
    return ", ".join(f"{each:.1f}" for each in os.getloadavg())


if __name__ == "__main__":
    main()
