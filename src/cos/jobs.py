# SPDX-License-Identifier: Apache-2.0

"""The scrape jobs for a collector, as Prometheus' ``scrape_config`` has them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from access import partitions
from certificates import SERVER_NAME
from cluster import references
from machine.webhook_file import PORT
from owner import Owner
from text import in_url

if TYPE_CHECKING:
    from cluster.answers import Pod
    from juju.peers import Shared

# A pod has some 150 series, and one for each region that a token named. A scrape with more fails.
_MOST_SERIES = 5000


def of(owner: Owner, shared: Shared, pods: Iterable[Pod]) -> list[dict[str, Any]]:
    """Return a job for the pods, with a target for each, and one for the Service.

    Pods are moved while no hook runs, so the Service shows whether any serves. A scrape of it
    meets any of them, so nothing but its result, the metric ``up``, is kept.
    """
    addresses = sorted(
        (pod.metadata.name, pod.status.pod_ip)
        for pod in pods
        if pod.status.pod_ip and not pod.metadata.deletion_timestamp
        if pod.status.phase not in ("Failed", "Succeeded")
    )
    targets = [_target(address, references.POD_PORT, pod=name) for name, address in addresses]
    service = [_target(shared.address, PORT)]
    drop_all = {"source_labels": ["__name__"], "regex": ".+", "action": "drop"}
    # Everybody can send tokens of regions that do not exist, and the pods count each.
    keep_regions = {
        "source_labels": ["StsRegion"],
        "regex": f"|global|{partitions.regions()}",
        "action": "keep",
    }
    return [
        *([_job(owner, shared, "pods", targets, keep_regions)] if targets else []),
        _job(owner, shared, "service", service, drop_all),
    ]


def _job(
    owner: Owner,
    shared: Shared,
    name: str,
    targets: Sequence[Mapping[str, Any]],
    relabelling: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        # A collector may serve several models and applications.
        "job_name": f"{owner.application}_{name}_{owner.model_uuid[:8]}",
        "scheme": "https",
        "metrics_path": "/metrics",
        "tls_config": {"ca": shared.ca, "server_name": SERVER_NAME},
        "static_configs": targets,
        "metric_relabel_configs": [relabelling],
        # It counts what the relabelling leaves.
        "sample_limit": _MOST_SERIES,
    }


def _target(address: str, port: int, **labels: str) -> dict[str, Any]:
    where = {"namespace": references.NAMESPACE, "service": references.NAME}
    return {"targets": [f"{in_url(address)}:{port}"], "labels": {**where, **labels}}
