"""``python -m benchmarks.soak``: people log in for hours through three control planes, while
everything changes in turn. ``make bench SOAK=2`` runs it in a lab for two hours.

It ends by itself, and prints its tables also if it is interrupted.
"""

from __future__ import annotations

import argparse
import functools
import http.client
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jubilant
from rich.console import Console
from tests.integration.helpers import arns, bundle, juju_status, kubernetes, logins, units
from tests.integration.helpers import testbed_only as testbed
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes, servers, tokens

from benchmarks import crowd, hooks, programs, rights
from benchmarks.soak import tables
from benchmarks.soak.people import People
from benchmarks.soak.tables import Phase, Sample
from testbed import testbedctl

RATE = 20.0
CYCLE_MINUTES = 20.0
AFTERMATH = 10.0
SAMPLE = 60.0
MAPPINGS_EVERY = 120.0
GRANT = {"arn": arns.USER, "username": "mallory", "groups": "view"}
QUIET, JOINS, MAPPINGS = "nothing", "unit joins", "mappings changed"
DIRECT = "directly"
# A node is missed after 40 s, its pods after five more minutes at most.
NODE_SECONDS = 480

WENT_WRONG = (
    AssertionError,
    TimeoutError,
    jubilant.CLIError,
    jubilant.TaskError,
    jubilant.WaitError,
    subprocess.TimeoutExpired,
    testbedctl.TestbedctlError,
)


@dataclass
class Site:
    """What is deployed, who logs in there, and what has been seen of it."""

    juju: jubilant.Juju
    cluster: Cluster
    people: People
    mallory: Callable[[], str]
    console: Console
    phases: list[Phase]
    samples: list[Sample]
    # Every hook of each unit, and when it was last looked for.
    ran: dict[str, list[dict[str, Any]]]
    seen: dict[str, float]
    now: str = QUIET

    def log_in_everywhere_but(self, lost: str = "") -> None:
        """Have people log in through the API server of every unit but one."""
        found = self.juju.status().get_units("aws-iam")
        self.people.servers = [
            servers.server(self.cluster.admin, unit.public_address)
            for name, unit in found.items()
            if name != lost
        ]


Change = Callable[[Site, int], None]


def _as_before(change: changes.Change) -> Change:
    return lambda site, _: change(site.juju, site.cluster)


def _image(site: Site, _: int) -> None:
    """Change the image, and back."""
    changes.image(site.juju, site.cluster)
    site.juju.config("aws-iam", reset="image")
    juju_status.wait_until_active(site.juju)


def _node(site: Site, times: int) -> None:
    """Lose the newest control plane with its machine; every other time it is the leader's."""
    names = units.names(site.juju)
    lost = max(names, key=lambda name: int(name.partition("/")[2]))
    if times % 2:
        testbed.move_leader(site.juju, lost)
        juju_status.wait_until_active(site.juju)
    principal = units.principal(site.juju, lost)
    before = set(site.cluster.nodes())
    # As a load balancer does.
    site.log_in_everywhere_but(lost)
    site.juju.remove_unit(principal, force=True)
    eventually(lambda: lost not in units.names(site.juju), "removed", seconds=120)
    there = {machine.hostname for machine in site.juju.status().machines.values()}
    for node in before - there:
        eventually(lambda node=node: not site.cluster.is_ready(node), "missed", NODE_SECONDS, 1)
    eventually(lambda: _serving(site.cluster), "pods that serve", NODE_SECONDS, 1)
    juju_status.wait_until_active(site.juju)
    for node in before - there:
        site.cluster.kubectl("delete", "node", node)


def _serving(cluster: Cluster) -> bool:
    deployment = cluster.get("-n", "kube-system", "deployment", "aws-iam-authenticator")
    return deployment["status"].get("readyReplicas", 0) == deployment["spec"]["replicas"]


def _join(site: Site, _: int) -> None:
    site.juju.add_unit("kubernetes-control-plane")
    juju_status.wait_until_active(site.juju)
    site.log_in_everywhere_but()


def _mappings(site: Site, times: int) -> None:
    """Declare, grant for a while, grant, revoke; each shows in who is let in."""
    juju, mallory = site.juju, site.mallory
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(rights.text(5 + times % 10))
        file.flush()
        juju.cli("config", "aws-iam", f"mappings=@{file.name}")
    juju.run("aws-iam/leader", "grant-access", {**GRANT, "for": "20s"})
    eventually(lambda: mallory() == "mallory", "let in", interval=1)
    eventually(lambda: mallory() != "mallory", "refused after the grant's end", interval=1)
    juju.run("aws-iam/leader", "grant-access", GRANT)
    eventually(lambda: mallory() == "mallory", "let in", interval=1)
    juju.run("aws-iam/leader", "revoke-access", {"arn": arns.USER})
    eventually(lambda: mallory() != "mallory", "refused after the revocation", interval=1)
    juju_status.wait_until_active(juju)


CHANGES: dict[str, Change] = {
    MAPPINGS: _mappings,
    "certificate reissued": _as_before(changes.certificate),
    "charm refreshed": _as_before(changes.charm),
    "node lost": _node,
    JOINS: _join,
    "image changed": _image,
    "authority changed": _as_before(changes.authority),
    "node drained": _as_before(changes.node),
}


def main() -> None:
    """Log in and change things until the time is up, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=RATE, help="logins a second")
    parser.add_argument("--cycle", type=float, default=CYCLE_MINUTES, help="minutes")
    parser.add_argument("--only", choices=CHANGES, action="append", help="changes to make")
    options = parser.parse_args()
    console = Console(highlight=False, width=150, soft_wrap=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        site = _deploy(Path(folder), options.rate, console)
        over = threading.Event()
        began = time.time()
        watcher = threading.Thread(target=_watch, args=(site, over))
        try:
            with site.people:
                watcher.start()
                _change_all(site, began + options.hours * 3600, options.cycle * 60, options.only)
        except KeyboardInterrupt:
            console.print("interrupted")
        finally:
            over.set()
            watcher.join()
            _print_tables(site, began)


def _deploy(folder: Path, rate: float, console: Console) -> Site:
    console.print(f"{os.cpu_count()} cores, load {_load():.1f}; deploying three control planes …")
    juju = jubilant.Juju(model=hooks.MODEL)
    bundle.deploy(juju)
    juju_status.wait_until_active(juju)
    juju.add_unit("kubernetes-control-plane", num_units=2)
    juju_status.wait_until_active(juju)
    cluster = logins.first_login(juju, folder)
    cluster.kubectl("create", "namespace", rights.NAMESPACE)
    cluster.map(DIRECT, "arn:aws:iam::111122223333:user/knobby", DIRECT)
    cluster_id = kubernetes.cluster_id(cluster.person)
    token = crowd.taken_from(tokens.tokens("knobby", cluster_id))
    people = People(token, DIRECT, rate)
    others = crowd.taken_from(tokens.tokens("mallory", cluster_id))

    def mallory() -> str:
        try:
            return people.servers[0].review(others())
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"

    site = Site(juju, cluster, people, mallory, console, [], [], {}, {})
    site.log_in_everywhere_but()
    eventually(lambda: _is_known(people.servers, token), "known to every pod", 180, 1)
    return site


def _is_known(everywhere: list[servers.Server], token: Callable[[], str]) -> bool:
    """Return whether every pod lets people in. Each review reaches one of them at random."""
    return all(server.review(token()) == DIRECT for server in everywhere * 5)


def _change_all(site: Site, end: float, cycle: float, only: Sequence[str] | None) -> None:
    """Make every change once a cycle. In the rest of each, only mappings change."""
    wanted = {name: change for name, change in CHANGES.items() if not only or name in only}
    times = Counter[str]()
    while time.time() < end:
        next_cycle = min(end, time.time() + cycle)
        for name, change in wanted.items():
            if time.time() < end:
                _change(site, name, change, times)
        while (left := next_cycle - time.time()) > 0:
            pause = functools.partial(_pause, seconds=min(left, MAPPINGS_EVERY))
            _change(site, QUIET, pause, times)
            if next_cycle - time.time() > MAPPINGS_EVERY:
                _change(site, MAPPINGS, _mappings, times)


def _pause(_: Site, __: int, seconds: float) -> None:
    time.sleep(seconds)


def _change(site: Site, name: str, change: Change, times: Counter[str]) -> None:
    start, problem = time.time(), ""
    site.now = name
    try:
        change(site, times[name])
    except WENT_WRONG as error:
        problem = f"{type(error).__name__}: {str(error)[:600]}"
    if name != QUIET:
        time.sleep(AFTERMATH)
    times[name] += 1
    site.now = QUIET
    phase = Phase(name, start, time.time(), _load(), problem)
    site.phases.append(phase)
    found = tables.of(site.people.logins, phase)
    site.console.print(
        f"{_clock(start)} {name}: {phase.end - start:.0f} s, {tables.count(found)}, "
        f"load {phase.load:.1f} {problem}",
        markup=False,
    )
    for login in [x for x in found if x.problem][:40]:
        lost = f"  LOST {login.second[:200]}" if login.second else ""
        site.console.print(
            f"    {_clock(login.due)} {login.host} {login.seconds:.1f} s "
            f"{login.problem[:200]}{lost}",
            markup=False,
        )


def _watch(site: Site, over: threading.Event) -> None:
    """Look at the processes and hooks each minute."""
    while not over.wait(SAMPLE):
        try:
            _look(site)
        except (*WENT_WRONG, OSError, StopIteration) as error:
            site.console.print(f"{_clock(time.time())} cannot look: {error}", markup=False)


def _look(site: Site) -> None:
    new = list(_sampled())
    site.samples.extend(new)
    now = time.time()
    for name in units.names(site.juju):
        site.ran[name] = testbedctl.hooks(hooks.MODEL, name)
        site.seen[name] = now
    pods = [x for x in new if x.process.program == programs.POD]
    shown = ", ".join(f"{x.age:.0f} s {x.memory:.0f} MiB {x.files} files" for x in pods)
    others = ", ".join(
        f"{name} {max(x.memory for x in of):.0f} MiB {max(x.files for x in of)} files"
        for name in (programs.API_SERVER, programs.FORWARDER)
        if (of := [x for x in new if x.process.program == name])
    )
    done = list(site.people.logins)
    site.console.print(
        f"{_clock(now)} load {_load():.1f}, {site.now}; {tables.count(done)}; "
        f"pods: {shown}; most of {others}; "
        f"hooks: {', '.join(f'{name} {len(ran)}' for name, ran in site.ran.items())}",
        markup=False,
    )


def _sampled() -> Iterator[Sample]:
    up = float(Path("/proc/uptime").read_text().split()[0])
    ticks = os.sysconf("SC_CLK_TCK")
    for process in programs.running():
        try:
            fields = (process.folder / "stat").read_text().rpartition(")")[2].split()
            files = len(list((process.folder / "fd").iterdir()))
            memory = process.mebibytes("VmRSS")
        except (OSError, StopIteration):  # it has just ended
            continue
        yield Sample(time.time(), process, up - int(fields[19]) / ticks, memory, files)


def _print_tables(site: Site, began: float) -> None:
    hours = (time.time() - began) / 3600
    done = site.people.logins
    site.console.print(f"{hours:.2f} h, {len(done)} logins; load {_load():.1f}")
    quiet = [phase for phase in site.phases if phase.name == QUIET]
    site.console.print(tables.changes((QUIET, *CHANGES), site.phases, done))
    site.console.print(tables.causes(site.phases, done))
    site.console.print(tables.processes(site.samples))
    site.console.print(tables.hooks(site.ran, site.seen, quiet, began))


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, timezone.utc):%H:%M:%S}"


def _load() -> float:
    return os.getloadavg()[0]


if __name__ == "__main__":
    main()
