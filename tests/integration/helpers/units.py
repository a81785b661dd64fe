"""The units of aws-iam and of the control plane, and what is on their machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jubilant

WEBHOOK = "/root/cdk/aws-iam-webhook.yaml"


def names(juju: jubilant.Juju) -> list[str]:
    """Return the units of aws-iam."""
    return sorted(juju.status().get_units("aws-iam"))


def principals(juju: jubilant.Juju) -> list[str]:
    """Return the units of the control plane."""
    return sorted(juju.status().get_units("kubernetes-control-plane"))


def principal(juju: jubilant.Juju, unit: str) -> str:
    """Return the control-plane unit on whose machine a unit of aws-iam is."""
    units = juju.status().apps["kubernetes-control-plane"].units
    return next(name for name, found in units.items() if unit in found.subordinates)


def addresses(juju: jubilant.Juju, unit: str) -> list[str]:
    """Return the addresses of the machine on which a unit of aws-iam is.

    Which of them is the public one is Juju's choice: 4.1 may take that of a bridge to pods.
    """
    status = juju.status()
    machine = status.apps["kubernetes-control-plane"].units[principal(juju, unit)].machine
    return status.machines[machine].ip_addresses


def leader(juju: jubilant.Juju) -> str:
    units = juju.status().get_units("aws-iam")
    return next(name for name, unit in units.items() if unit.leader)


def followers(juju: jubilant.Juju) -> list[str]:
    return [name for name in names(juju) if name != leader(juju)]


def relations(juju: jubilant.Juju, unit: str) -> list[dict[str, Any]]:
    """Return what a unit sees of its relations."""
    return json.loads(juju.cli("show-unit", unit, "--format", "json"))[unit]["relation-info"]


def certificate_requesters(juju: jubilant.Juju) -> list[str]:
    """Return the units of aws-iam that ask easyrsa for a certificate."""
    return sorted(
        name
        for relation in relations(juju, "easyrsa/0")
        for name, unit in relation.get("related-units", {}).items()
        if name.startswith("aws-iam/") and unit["data"].get("cert_requests")
    )


def databag(juju: jubilant.Juju, unit: str, endpoint: str) -> Mapping[str, str]:
    """Return what a unit sees of the remote units on an endpoint."""
    relation = next(r for r in relations(juju, unit) if r["endpoint"] == endpoint)
    return {k: v for u in relation["related-units"].values() for k, v in u["data"].items()}


def webhook_file(juju: jubilant.Juju, unit: str) -> str:
    """Return the webhook file on the machine of a unit, whose agent may be lost."""
    return juju.exec("cat", WEBHOOK, unit=reachable(juju, unit)).stdout


def reachable(juju: jubilant.Juju, unit: str) -> str:
    """Return a unit on the same machine whose agent runs: this one, or its principal."""
    lost = juju.status().get_units("aws-iam")[unit].juju_status.current == "lost"
    return principal(juju, unit) if lost else unit
