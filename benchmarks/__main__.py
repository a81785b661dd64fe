"""``python -m benchmarks``: deploy, log in, and measure; run by ``make bench`` in the testbed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import jubilant
from rich.console import Console
from rich.table import Table
from testbed.faults.client import Faults
from tests.integration import model

from benchmarks import hooks

ROUNDS = 15
LEADER, FOLLOWER, BARE = "aws-iam/0", "aws-iam/1", "bare/0"


def main() -> None:
    """Print every figure as it is had."""
    console = Console(highlight=False)
    juju = jubilant.Juju(model="default")
    console.print("deploying Charmed Kubernetes 1.28 with aws-iam and easyrsa …")
    first_login = _first_login(juju)
    deployment = hooks.of(LEADER)

    console.print("a second control-plane unit, and a bare ops charm …")
    juju.deploy("bare", to="0")
    juju.add_unit("kubernetes-control-plane")
    model.settle(juju)
    hooks.settle()

    console.print(f"update-status in turn with the bare charm's, {ROUNDS} rounds …")
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
        table.add_row("  hook-tool calls", f"{measured[-1].calls}", "")
        table.add_row("  API requests", f"{_requests(unit)}", "")
    install = next(hook for hook in deployment if hook.name == "install")
    table.add_row(
        "install hook",
        f"{install.seconds / hooks.median_seconds(bare):.2f} × bare ops' update-status",
        f"{install.seconds:.3f} s",
    )
    table.add_row(
        "first deployment",
        f"{len(deployment)} hooks, {sum(hook.calls for hook in deployment)} calls",
        f"{sum(hook.seconds for hook in deployment):.1f} s in hooks",
    )
    table.add_row("from deploy to the first login", f"{first_login:.1f} s", "")
    console.print(table)


def _requests(unit: str) -> int:
    """Requests to the API server in one settled update-status."""
    with Faults("default") as tap:
        hooks.update_status(unit)
        return len(tap.requests())


def _first_login(juju: jubilant.Juju) -> float:
    started = time.monotonic()
    model.deploy(juju)
    model.settle(juju)
    with tempfile.TemporaryDirectory() as folder:
        cluster = model.kubernetes(juju, Path(folder))
        cluster.map("knobby", model.ROLE, "knobby", "view")
        model.logs_in(cluster)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
