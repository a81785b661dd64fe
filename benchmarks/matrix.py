"""``python -m benchmarks.matrix 1.36 latest``: deploy each Kubernetes, log in, and upgrade it.

``make matrix`` runs it in a lab that has the programs of these minor versions.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import jubilant
from rich.console import Console
from rich.table import Table
from tests.integration.helpers import (
    bundle,
    juju_status,
    logins,
    mapping_writers,
    upgrade_page,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import upgrade
from tests.integration.helpers.load.load import Load

from testbed import testbedctl
from testbed.programs.minors import PATCHES
from testbed.programs.modules import NEWEST

_CONTROL_PLANE = "kubernetes-control-plane"
_WEBHOOK = "cdk.master.auth-webhook"
_LEADER = "aws-iam/0"
_ROUNDS = 5
# A change has late effects, such as a kubelet that hears of pods half a minute later.
_AFTERMATH_SECONDS = 30.0
# The last minor whose control plane takes the webhook from the relation.
_LAST_WITH_RELATION = 28
# The first minor with ValidatingAdmissionPolicy.
_FIRST_WITH_POLICY = 30
_SHOWN_FAILURES = 5
_LOG_LINES = 100
# Without a terminal, rich would cut the table at 80 characters.
_WIDTH = 99
_HEADINGS = ("version", "deployed", "login", "policy", "upgraded to", "logins failed", "hook")
_FAULTS = (AssertionError, TimeoutError, jubilant.CLIError, jubilant.TaskError, jubilant.WaitError)
_NO = "no"


@dataclasses.dataclass(frozen=True)
class Row:
    """What was seen of one version, as it is printed: "no" stands for what was not reached."""

    version: str
    deployed: str = _NO
    login: str = _NO
    policy: str = _NO
    upgraded_to: str = _NO
    failed: str = ""
    hook: str = ""

    @property
    def is_good(self) -> bool:
        """Whether everything was reached, and no login failed."""
        return _NO not in dataclasses.astuple(self) and self.failed.partition(" ")[0] in ("", "0")


def main(minors: Sequence[str]) -> int:
    """Print the table of these minor versions; return the exit code."""
    console = Console(highlight=False, width=_WIDTH)
    rows: list[Row] = []
    for minor, next_minor in itertools.zip_longest(minors, minors[1:], fillvalue=""):
        console.print(f"Kubernetes {minor} …")
        rows.append(_seen(minor, next_minor if _is_next(minor, next_minor) else ""))
        console.print("  ".join(dataclasses.astuple(rows[-1])))
    table = Table(*_HEADINGS)
    for row in rows:
        table.add_row(*dataclasses.astuple(row))
    console.print(table)
    return int(not all(row.is_good for row in rows))


def _is_next(minor: str, other: str) -> bool:
    """Return whether Kubernetes allows an upgrade from one minor to the other."""
    return bool(other) and _number(other) == _number(minor) + 1


def _number(minor: str) -> int:
    """Return the number behind the dot. The newest follows those that are built on demand."""
    if minor == NEWEST:
        return max(map(_number, PATCHES)) + 1
    return int(minor.partition(".")[2])


def _seen(minor: str, next_minor: str) -> Row:
    """Return what was seen of a minor version, up to the first fault, which is printed."""
    row = Row(
        minor,
        policy=_NO if _number(minor) >= _FIRST_WITH_POLICY else "",
        upgraded_to=_NO if next_minor else "",
    )
    with jubilant.temp_model() as juju, tempfile.TemporaryDirectory() as folder:
        try:
            for found in _stages(juju, Path(folder), minor, next_minor):
                row = dataclasses.replace(row, **found)
        except _FAULTS as error:
            log = juju.debug_log(limit=_LOG_LINES)
            print(f"{log}\nKubernetes {minor}: {error}", file=sys.stderr)
    return row


def _stages(
    juju: jubilant.Juju, folder: Path, minor: str, next_minor: str
) -> Iterator[Mapping[str, str]]:
    """Yield the fields of the row, each when it is known. Raises `_FAULTS`."""
    began = time.monotonic()
    _deploy(juju, minor, folder)
    yield {"version": _version(juju), "deployed": f"{time.monotonic() - began:.0f} s"}
    cluster = logins.first_login(juju, folder)
    yield {"login": "yes", "hook": f"{_settled_hook(juju):.2f} s"}
    if _number(minor) >= _FIRST_WITH_POLICY:
        _see_escalation_refused(cluster)
        yield {"policy": "yes"}
    if next_minor:
        load = _upgrade(juju, cluster, minor, next_minor)
        yield {"upgraded_to": _version(juju), "failed": _failed(juju, load)}


def _version(juju: jubilant.Juju) -> str:
    return juju.status().apps[_CONTROL_PLANE].version


def _deploy(juju: jubilant.Juju, minor: str, folder: Path) -> None:
    """Deploy a minor version, and do what the unit's status asks for."""
    has_relation = _number(minor) <= _LAST_WITH_RELATION
    # Charmed Kubernetes' own default. The testbed's would allow everybody everything.
    options = {"channel": f"{minor}/stable", "authorization-mode": "Node,RBAC"}
    if has_relation:
        options["webhook-caller"] = "original"
    overlay = folder / "options.yaml"
    overlay.write_text(json.dumps({"applications": {_CONTROL_PLANE: {"options": options}}}))
    bundle.deploy(juju, channel=f"1.{28 if has_relation else 29}/stable", extra=[overlay])
    juju_status.wait_until_active(juju)


def _settled_hook(juju: jubilant.Juju) -> float:
    """Return the median seconds of an update-status that finds nothing to do."""
    model = str(juju.model)
    for _ in range(_ROUNDS):
        testbedctl.update_status(model, _LEADER)
    ran = testbedctl.hooks(model, _LEADER)[-_ROUNDS:]
    return statistics.median(float(hook["seconds"]) for hook in ran)


def _see_escalation_refused(cluster: Cluster) -> None:
    """See that the right to write mappings makes nobody an administrator. Raises `_FAULTS`."""
    mallory = mapping_writers.writer(cluster, "mallory")
    eventually(lambda: "ValidatingAdmissionPolicy" in mallory.create("new", "root"), "refused")
    assert mallory.create("new", "mallory", ["system:masters"]), "system:masters was admitted"
    lead = mapping_writers.writer(
        cluster, "lead", mapping_writers.may_impersonate("users", "dev:{{SessionName}}")
    )
    refusal = lead.create("new", "dev:{{SessionName}}")
    assert not refusal, refusal


def _upgrade(juju: jubilant.Juju, cluster: Cluster, minor: str, next_minor: str) -> Load:
    """Upgrade the control plane while people log in, and return their logins."""
    with tempfile.TemporaryDirectory() as folder:
        certified = upgrade.with_certificate(juju, Path(folder))
        with upgrade.steady_load(juju, certified) as load:
            if _number(minor) == _LAST_WITH_RELATION:
                for step in upgrade_page.STEPS:
                    upgrade_page.take(juju, step)
            juju.config(_CONTROL_PLANE, {"channel": f"{next_minor}/stable"})
            juju.run(f"{_CONTROL_PLANE}/0", "upgrade")
            juju_status.wait_until_active(juju)
            juju_status.run_update_status(juju, _LEADER)
            juju_status.wait_until_active(juju)
            time.sleep(_AFTERMATH_SECONDS)
        logins.wait_for_login(cluster)
        return load


def _failed(juju: jubilant.Juju, load: Load) -> str:
    """Return how many logins failed, and how many more did so in a restart that explains it.

    If some failed without a restart, print the first of them, and what the control plane's webhook
    logged.
    """
    lost = upgrade.lost(juju, load)
    for login in lost[:_SHOWN_FAILURES]:
        print(f"{login.host} {login.kind}: {login.problem}", file=sys.stderr)
    if lost:
        log = juju.exec("journalctl", "-u", _WEBHOOK, unit=f"{_CONTROL_PLANE}/0").stdout
        told = [line for line in log.splitlines() if "SSLError" not in line]
        print("\n".join(told[-_LOG_LINES:]), file=sys.stderr)
    broken = sum(bool(login.problem) for login in load.logins)
    return f"{len(lost)} of {len(load.logins)}, {broken - len(lost)} more in restarts"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
