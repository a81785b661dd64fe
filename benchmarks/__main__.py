"""``python -m benchmarks``: deploy, log in, and measure. ``make bench`` runs it in a lab."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import jubilant
from rich.console import Console
from rich.table import Table
from tests.integration.helpers import arns, bundle, juju_status, kubernetes, logins
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes, report

from benchmarks import hooks, mappings, rights
from testbed import testbedctl
from testbed.faults.client import Faults

ROUNDS = 15
AUTHORITIES = ("easyrsa", "self-signed-certificates")
LEADER, FOLLOWER, BARE = "aws-iam/0", "aws-iam/1", "bare/0"


def main() -> None:
    """Print every figure as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--mappings", type=int, default=1000)
    parser.add_argument("--authority", choices=AUTHORITIES, default=AUTHORITIES[0])
    options = parser.parse_args()
    number, authority = options.mappings, options.authority
    console = Console(highlight=False)
    juju = jubilant.Juju(model=hooks.MODEL)
    with tempfile.TemporaryDirectory() as folder:
        console.print(f"deploying Charmed Kubernetes 1.28 with aws-iam and {authority} …")
        if not testbedctl.is_available():
            _first_login(juju, authority, Path(folder), time.monotonic(), console)
            console.print("skipped: hooks, mappings and load; only the stand-in counts hooks")
            return
        cluster = _deploy(juju, authority, Path(folder), console)
        console.print("a second control-plane unit, and a bare ops charm …")
        juju.deploy("bare", to="0")
        juju.add_unit("kubernetes-control-plane")
        juju_status.wait_until_active(juju)
        testbedctl.settle(hooks.MODEL)
        console.print(f"update-status in turn with the bare charm's, {ROUNDS} rounds …")
        console.print(_idle_hooks())
        console.print(f"{number:,} mappings at once …")
        console.print(mappings.measure(juju, cluster, LEADER, BARE, number, ROUNDS))
        console.print(f"{number:,} declared mappings with rights …")
        console.print(rights.measure(juju, cluster, LEADER, BARE, number, ROUNDS))
        console.print("people log in all the time, and everything changes …")
        console.print(_under_load(juju, cluster))


def _deploy(juju: jubilant.Juju, authority: str, folder: Path, console: Console) -> Cluster:
    """Deploy, log in, and print what that took; a proxy counts the requests."""
    started = time.monotonic()
    with Faults(hooks.MODEL, "aws-iam") as tap:
        cluster = _first_login(juju, authority, folder, started, console)
        requests = Counter(request.run for request in tap.requests())
    ran = [hook for hook in hooks.of(LEADER) if "/" not in hook.name]
    table = Table("hook of the first deployment", "seconds", "hook-tool calls", "API requests")
    for hook in ran:
        row = (hook.name, f"{hook.seconds:.2f}", f"{hook.calls}", f"{requests[hook.run]}")
        table.add_row(*row)
    table.add_section()
    seconds, calls = sum(hook.seconds for hook in ran), sum(hook.calls for hook in ran)
    table.add_row(f"{len(ran)} hooks", f"{seconds:.1f}", f"{calls}", f"{requests.total()}")
    console.print(table)
    return cluster


def _first_login(
    juju: jubilant.Juju, authority: str, folder: Path, started: float, console: Console
) -> Cluster:
    bundle.deploy(juju, authority)
    # As Charmed Kubernetes does: without a word on a certificate that the machine does not trust.
    juju.config("kubernetes-control-plane", {"webhook-caller": "original"})
    juju_status.wait_until_active(juju)
    cluster = kubernetes.connect(juju, folder)
    cluster.map("knobby", arns.ROLE, "knobby", "view")
    logins.wait_for_login(cluster)
    console.print(f"from deploy to the first login: {time.monotonic() - started:.1f} s")
    return cluster


def _idle_hooks() -> Table:
    """Compare a hook that finds nothing to do with that of the smallest charm on ops."""
    table = Table("figure", "value", "of")
    bare: list[hooks.Hook] = []
    for name, unit in (("leader", LEADER), ("non-leader", FOLLOWER)):
        measured, reference = hooks.paired(unit, BARE, ROUNDS)
        bare += reference
        table.add_row(
            f"settled update-status, {name}",
            f"{hooks.ratio(measured, reference):.2f} × bare ops",
            f"{hooks.median_seconds(measured):.3f} s : {hooks.median_seconds(reference):.3f} s",
        )
        table.add_row("  hook-tool calls", f"{measured[-1].calls}", f"{reference[-1].calls}")
        table.add_row("  API requests", f"{_requests(unit)}", "")
    install = next(hook for hook in hooks.of(LEADER) if hook.name == "install")
    table.add_row(
        "install hook",
        f"{install.seconds / hooks.median_seconds(bare):.2f} × bare ops' update-status",
        f"{install.seconds:.3f} s",
    )
    return table


def _requests(unit: str) -> int:
    """Return how many requests to the API server one settled update-status sends."""
    with Faults(hooks.MODEL, "aws-iam") as tap:
        hooks.update_status(unit)
        return len(tap.requests())


def _under_load(juju: jubilant.Juju, cluster: Cluster) -> str:
    load, phases = changes.under_load(juju, cluster)
    return f"{report.table(load, phases)}\nlogins that failed: {len(report.failures(load))}"


if __name__ == "__main__":
    main()
