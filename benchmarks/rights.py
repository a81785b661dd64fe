"""Measure what an option costs whose mappings all have rights: until they work, in every settled
hook after that, for a grant beside them, and until all are gone."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable

import jubilant
from rich.table import Table
from tests.integration.helpers import arns
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster

from benchmarks import hooks
from testbed import testbedctl
from testbed.faults.client import Faults

NAMESPACE = "bench"
_MAPPINGS = "/apis/iamauthenticator.k8s.aws/v1alpha1/iamidentitymappings"
_BINDINGS = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings"
_SECONDS = 900


def measure(
    juju: jubilant.Juju, cluster: Cluster, unit: str, bare: str, number: int, rounds: int
) -> Table:
    """Declare ``number`` mappings that may ``view`` one namespace each, and reset the option.

    Hooks of ``bare``, in turn with those of ``unit``, show how fast the machine is meanwhile.
    """
    cluster.kubectl("create", "namespace", NAMESPACE)
    none = hooks.ratio(*hooks.paired(unit, bare, rounds))
    others, before = _count(cluster, _MAPPINGS), len(hooks.of(unit))
    made, made_by = _requests_of(lambda: declare(juju, cluster, number))
    ran = hooks.of(unit)[before:]
    measured, reference = hooks.paired(unit, bare, rounds)
    grant = {"arn": arns.USER, "username": "granted", "role": "view"}
    granted, granted_by = _requests_of(
        lambda: _seconds_until(lambda: juju.run(unit, "grant-access", grant), lambda: True)
    )
    juju.run(unit, "revoke-access", {"arn": grant["arn"]})
    gone, gone_by = _requests_of(
        lambda: _seconds_until(
            lambda: juju.config("aws-iam", {"mappings": ""}),
            lambda: _count(cluster, _MAPPINGS) == others and _count(cluster, _BINDINGS) == 0,
        )
    )
    table = Table("figure", "value", "of")
    busy = ", ".join(f"{hook.seconds:.1f}" for hook in ran)
    table.add_row(
        f"{number:,} declared mappings have their rights",
        f"{made:.1f} s",
        f"{made_by:,} requests; {len(ran)} hooks: {busy} s",
    )
    table.add_row(
        f"settled update-status, {number:,} mappings with rights",
        f"{hooks.ratio(measured, reference) / none:.2f} × with none",
        f"{hooks.median_seconds(measured):.3f} s",
    )
    table.add_row("one grant beside them", f"{granted:.1f} s", f"{granted_by:,} requests")
    table.add_row("the option is reset, and all is gone", f"{gone:.1f} s", f"{gone_by:,} requests")
    return table


def declare(juju: jubilant.Juju, cluster: Cluster, number: int) -> float:
    """Declare mappings, and return after how long all have their rights."""
    return _seconds_until(
        lambda: _declare(juju, number), lambda: _count(cluster, _BINDINGS) == number
    )


def _requests_of(work: Callable[[], float]) -> tuple[float, int]:
    """Return what ``work`` returns, and how many requests the charm sends for it and after it."""
    with Faults(hooks.MODEL, "aws-iam") as tap:
        seconds = work()
        testbedctl.settle(hooks.MODEL)
        return seconds, len(tap.requests())


def _seconds_until(change: Callable[[], object], done: Callable[[], bool]) -> float:
    """Make a change, and return after how long it is done."""
    started = time.monotonic()
    change()
    eventually(done, "done", seconds=_SECONDS, interval=1)
    return time.monotonic() - started


def _declare(juju: jubilant.Juju, number: int) -> None:
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text(number))
        file.flush()
        juju.cli("config", "aws-iam", f"mappings=@{file.name}")


def text(number: int) -> str:
    """Return the option for so many mappings."""
    access = [{"role": "view", "namespaces": [NAMESPACE]}]
    entries = [
        {
            "arn": f"arn:aws:iam::111122223333:role/Bench-{n:05}",
            "username": f"b{n}",
            "access": access,
        }
        for n in range(number)
    ]
    return json.dumps(entries)


def _count(cluster: Cluster, path: str) -> int:
    """Return how many objects of a kind there are, without a list of them all."""
    answer = json.loads(cluster.kubectl("get", "--raw", f"{path}?limit=1"))
    return len(answer["items"]) + answer["metadata"].get("remainingItemCount", 0)
