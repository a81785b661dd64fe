# SPDX-License-Identifier: Apache-2.0

"""The endpoint ``cos-agent``: what a collector of the Canonical Observability Stack is to do.

It speaks the provider's side of the interface cos_agent, version 0, in the unit's databag:
https://github.com/canonical/charmlibs/tree/main/interfaces/cos_agent. The interface's library
would load pydantic in every hook.

The collector takes the rules and dashboards of an application from whichever unit it meets
first, so all units publish the same. It takes scrape jobs from each unit, so only the leader
publishes some: one scrape of each pod.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ops

from access import partitions
from certificates import SERVER_NAME
from cluster import references
from juju.peers import Shared
from machine.webhook import PORT
from owner import Owner
from text import fingerprint, in_url

if TYPE_CHECKING:
    from cluster.api import Object
    from hook import Hook

ENDPOINT = "cos-agent"
KEY = "config"
RULES = Path("src/prometheus_alert_rules/aws-iam.rules")
DASHBOARD = Path("src/grafana_dashboards/aws-iam.json")
CHARM_FOLDER = Path(__file__).parents[1]
# A pod has some 150 series, and one for each region that a token named. A scrape with more fails.
_MOST_SERIES = 5000

logger = logging.getLogger(__name__)


def publish(hook: Hook, pods: Sequence[Object] | None = None) -> None:
    """Publish this unit's part. The leader's has the authenticator's ``pods``, to be scraped."""
    charm, owner = hook.charm, hook.owner
    relations = [each for each in charm.model.relations[ENDPOINT] if each.active]
    if not relations:
        return
    scraped = [] if pods is None else jobs(owner, hook.peers.shared, pods)

    def write() -> bool:
        content = {
            "metrics_alert_rules": rules(owner, charm.meta.name),
            "log_alert_rules": {},
            "dashboards": [dashboard(charm.meta.name)],
            "metrics_scrape_jobs": scraped,
            "log_slots": [],
        }
        changed = [_put(relation.data[charm.unit], _json(content)) for relation in relations]
        return any(changed)

    # To compress the dashboard costs more than the rest of a settled hook.
    files = [fingerprint((CHARM_FOLDER / path).read_text()) for path in (RULES, DASHBOARD)]
    words = ([each.id for each in relations], owner, scraped, files)
    hook.memory.write_once(ENDPOINT, words, write)


def _put(data: ops.RelationDataContent, config: str) -> bool:
    """Write ``config``, and return whether Juju had another."""
    try:
        if data.get(KEY) == config:
            return False
        data[KEY] = config
    except ops.ModelError as error:
        # Juju has no databag before this unit has entered a relation between subordinates.
        logger.warning("the collector gets nothing before the next hook: %s", error)
    return True


def rules(owner: Owner, charm: str) -> dict[str, Any]:
    """Return the charm's alert rules for one application, as a Prometheus rule file has them.

    As the Python package cosl does, this fills in ``%%juju_topology%%``, and labels rules and
    groups.
    """
    import yaml

    # By these labels the collector tells this application's metrics.
    topology = {
        "juju_model": owner.model,
        "juju_model_uuid": owner.model_uuid,
        "juju_application": owner.application,
    }
    selector = ",".join(f'{name}="{value}"' for name, value in topology.items())
    prefix = f"{owner.model}_{owner.model_uuid[:8]}_{owner.application}"
    groups = yaml.load((CHARM_FOLDER / RULES).read_text(), yaml.CSafeLoader)["groups"]
    for group in groups:
        group["name"] = f"{prefix}_{group['name']}_rules".replace("-", "_")
        for rule in group["rules"]:
            rule["expr"] = rule["expr"].replace("%%juju_topology%%", selector)
            rule["labels"] |= {**topology, "juju_charm": charm}
    return {"groups": groups}


def dashboard(charm: str) -> str:
    """Return the charm's dashboard as base64 of the xz archive of its JSON.

    It has the uid and the tag that the Python package cosl gives it: the uid is that of the charm
    and the file, so the units and applications of a charm have one dashboard in common.
    """
    import lzma

    content = {
        **json.loads((CHARM_FOLDER / DASHBOARD).read_text()),
        "uid": hashlib.shake_256(f"{charm}-{DASHBOARD}".encode()).hexdigest(20),
        "tags": [f"charm: {charm}"],
    }
    return base64.b64encode(lzma.compress(_json(content).encode())).decode()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def jobs(owner: Owner, shared: Shared, pods: Iterable[Object]) -> list[dict[str, Any]]:
    """Return a job for the pods, with a target for each, and one for the Service, as Prometheus'
    ``scrape_config`` has them.

    Pods are moved while no hook runs, so the Service shows whether any serves. A scrape of it
    meets any of them, so nothing but its result, the metric ``up``, is kept.
    """
    where = {"namespace": references.NAMESPACE, "service": references.NAME}

    def target(address: str, port: int, **labels: str) -> dict[str, Any]:
        return {"targets": [f"{in_url(address)}:{port}"], "labels": {**where, **labels}}

    def job(name: str, targets: list[dict[str, Any]], **relabelling: Any) -> dict[str, Any]:
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

    addresses = sorted(
        (pod["metadata"]["name"], pod["status"]["podIP"])
        for pod in pods
        if pod["status"].get("podIP") and "deletionTimestamp" not in pod["metadata"]
        if pod["status"].get("phase") not in ("Failed", "Succeeded")
    )
    targets = [target(address, references.POD_PORT, pod=name) for name, address in addresses]
    # Everybody can send tokens of regions that do not exist, and the pods count each.
    regions = f"|global|{partitions.REGION}"
    of_pods = job("pods", targets, source_labels=["StsRegion"], regex=regions, action="keep")
    service = [target(shared.address, PORT)]
    of_service = job("service", service, source_labels=["__name__"], regex=".+", action="drop")
    return [of_pods, of_service] if targets else [of_service]
