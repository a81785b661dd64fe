"""Measure what many mappings cost: until new ones work, and in every settled hook after that."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jubilant
from rich.table import Table
from tests.integration.helpers import juju_status
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import servers

from benchmarks import api, hooks
from testbed import testbedctl

_PATH = "/apis/iamauthenticator.k8s.aws/v1alpha1/iamidentitymappings"
_LABEL = {"made-by": "benchmark"}
_AT_ONCE = 8
_SECONDS = 600


def measure(
    juju: jubilant.Juju, cluster: Cluster, unit: str, bare: str, number: int, rounds: int
) -> Table:
    """Create ``number`` mappings at once, and delete them in the end.

    Hooks of ``bare``, in turn with those of ``unit``, show how fast the machine is meanwhile.
    """
    host = juju.status().get_units("aws-iam")[unit].public_address
    server = servers.server(cluster.admin, host)
    none = hooks.ratio(*hooks.paired(unit, bare, rounds))
    create(server, range(number))
    took, ran = until_effective(juju, unit)
    measured, reference = hooks.paired(unit, bare, rounds)
    _delete(server)
    table = Table("figure", "value", "of")
    busy = sum(hook.seconds for hook in ran)
    table.add_row(
        f"{number:,} new mappings take effect", f"{took:.1f} s", f"hooks: {len(ran)}, {busy:.1f} s"
    )
    table.add_row(
        f"settled update-status, {number:,} mappings",
        f"{hooks.ratio(measured, reference) / none:.2f} × with none",
        f"{hooks.median_seconds(measured):.3f} s",
    )
    return table


def until_effective(juju: jubilant.Juju, unit: str) -> tuple[float, list[hooks.Hook]]:
    """Run update-status; return after how long all mappings are effective, and the hooks so far.

    Alarms run the hooks that follow the first.
    """
    before, started = len(hooks.of(unit)), time.monotonic()
    testbedctl.update_status(hooks.MODEL, unit)
    eventually(
        lambda: "not effective yet" not in juju_status.message(juju),
        "all effective",
        seconds=_SECONDS,
        interval=1,
    )
    took = time.monotonic() - started
    testbedctl.settle(hooks.MODEL)
    return took, hooks.of(unit)[before:]


def create(server: servers.Server, which: range) -> None:
    """Create mappings several at a time: kubectl creates fifty a second."""
    numbers, lock = iter(which), threading.Lock()

    def create_some() -> None:
        connection = api.connect(server)
        while True:
            with lock:
                n = next(numbers, None)
            if n is None:
                return
            api.ask(connection, "POST", _PATH, _mapping(n))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done in [pool.submit(create_some) for _ in range(_AT_ONCE)]:
            done.result()


def _delete(server: servers.Server) -> None:
    """Delete what `_create` has created."""
    selector = ",".join(f"{key}%3D{value}" for key, value in _LABEL.items())
    api.ask(api.connect(server), "DELETE", f"{_PATH}?labelSelector={selector}", None)


def _mapping(n: int) -> dict[str, object]:
    return {
        "apiVersion": "iamauthenticator.k8s.aws/v1alpha1",
        "kind": "IAMIdentityMapping",
        "metadata": {"name": f"bench-{n:05}", "labels": _LABEL},
        "spec": {"arn": f"arn:aws:iam::111122223333:role/Bench-{n:05}", "username": f"b{n}"},
    }
