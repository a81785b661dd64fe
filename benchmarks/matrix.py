"""``python -m benchmarks.matrix 1.36 latest``: deploy each Kubernetes, log in, and upgrade it.

``make matrix`` runs it in a lab that has the programs of these minor versions.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jubilant
from rich.console import Console
from rich.table import Table
from tests.integration.helpers import bundle, juju_status, logins, testbed_only
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes, report, upgrade
from tests.integration.helpers.load.load import Load

from testbed import testbedctl
from testbed.programs.minors import PATCHES
from testbed.programs.modules import NEWEST

_CONTROL_PLANE = "kubernetes-control-plane"
_LEADER = "aws-iam/0"
_ROUNDS = 5
# A change has late effects, such as a kubelet that hears of pods half a minute later.
_AFTERMATH_SECONDS = 30.0
# The last minor whose control plane takes the webhook from the relation.
_LAST_WITH_RELATION = 28


@dataclass(frozen=True)
class Row:
    """What was seen of one version: texts and seconds as they are printed."""

    version: str
    deployed: str
    login: str
    upgraded_to: str
    failed: str
    hook: str


def main(minors: Sequence[str]) -> int:
    """Print the table of these minor versions; return the exit code."""
    console = Console(highlight=False)
    following = dict(itertools.pairwise(minors))
    rows: list[Row] = []
    for minor in minors:
        console.print(f"Kubernetes {minor} …")
        next_minor = following.get(minor, "")
        rows.append(_seen(minor, next_minor if _is_next(minor, next_minor) else ""))
        console.print("  ".join(vars(rows[-1]).values()))
    table = Table("version", "deployed", "login", "upgraded to", "logins failed", "hook")
    for row in rows:
        table.add_row(*vars(row).values())
    console.print(table)
    return int(any(not row.failed.startswith("0 ") for row in rows if row.upgraded_to))


def _is_next(minor: str, other: str) -> bool:
    """Return whether Kubernetes allows an upgrade from one minor to the other."""
    return bool(other) and _number(other) == _number(minor) + 1


def _number(minor: str) -> int:
    """Return the number behind the dot. The newest follows those that are built on demand."""
    if minor == NEWEST:
        return max(map(_number, PATCHES)) + 1
    return int(minor.partition(".")[2])


def _seen(minor: str, next_minor: str) -> Row:
    with jubilant.temp_model() as juju, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        _deploy(juju, minor, folder)
        deployed = f"{time.monotonic() - began:.0f} s"
        cluster = logins.first_login(juju, folder)
        version = juju.status().apps[_CONTROL_PLANE].version
        seconds = f"{_settled_hook(juju):.2f} s"
        if not next_minor:
            return Row(version, deployed, "yes", "", "", seconds)
        load = _upgrade(juju, cluster, next_minor)
        failed = report.failures(load)
        for login in failed[:5]:
            print(f"{login.host} {login.kind}: {login.problem}", file=sys.stderr)
        newer = juju.status().apps[_CONTROL_PLANE].version
        return Row(
            version, deployed, "yes", newer, f"{len(failed)} of {len(load.logins)}", seconds
        )


def _deploy(juju: jubilant.Juju, minor: str, folder: Path) -> None:
    """Deploy a minor version, and do what the unit's status asks for."""
    options = folder / "channel.yaml"
    options.write_text(
        f"applications:\n  {_CONTROL_PLANE}:\n    options:\n      channel: {minor}/stable\n"
    )
    if _number(minor) <= _LAST_WITH_RELATION:
        bundle.deploy(juju, channel="1.28/stable", extra=[options])
    else:
        bundle.deploy(juju, channel="1.29/stable", extra=[options])
        juju_status.wait_until(juju, "blocked")
        command = juju_status.message(juju).partition("run: ")[2]
        juju.cli(*command.split()[1:])
        testbed_only.run_update_status(juju, _LEADER)
    juju_status.wait_until_active(juju)


def _settled_hook(juju: jubilant.Juju) -> float:
    """Return the median seconds of an update-status that finds nothing to do."""
    model = str(juju.model)
    for _ in range(_ROUNDS):
        testbedctl.update_status(model, _LEADER)
    ran = testbedctl.hooks(model, _LEADER)[-_ROUNDS:]
    return statistics.median(float(hook["seconds"]) for hook in ran)


def _upgrade(juju: jubilant.Juju, cluster: Cluster, minor: str) -> Load:
    """Upgrade the control plane while people log in, and return their logins."""
    with tempfile.TemporaryDirectory() as folder:
        certified = upgrade.with_certificate(juju, Path(folder))
        logins.log_in_everywhere(juju, certified)
        with changes.steady_load(juju, certified, upgrade.REVIEWS_A_SECOND) as load:
            juju.config(_CONTROL_PLANE, {"channel": f"{minor}/stable"})
            juju.run(f"{_CONTROL_PLANE}/0", "upgrade")
            juju_status.wait_until_active(juju)
            testbed_only.run_update_status(juju, _LEADER)
            juju_status.wait_until_active(juju)
            time.sleep(_AFTERMATH_SECONDS)
        logins.wait_for_login(cluster)
        return load


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
