"""A second application of the charm on the same machine: it waits until the first one is gone."""

from __future__ import annotations

from typing import Any

import jubilant
from tests.integration.helpers import bundle, juju_status, logins, units
from tests.integration.helpers.kubernetes import Cluster

SECOND = "second"
ANNOTATION = "aws-iam/owner"
COMMAND = f"kubectl -n kube-system annotate service aws-iam-authenticator {ANNOTATION}-"


def test_given_an_owner_when_a_second_application_comes_and_goes_then_people_log_in_as_before(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    before = _owned(deployed, cluster)
    with logins.RepeatedLogins(cluster) as people:
        deployed.deploy(bundle.packed_charm(), SECOND, base=bundle.BASE)
        ours, theirs = _endpoints(deployed)
        deployed.integrate(f"{SECOND}:{ours}", f"kubernetes-control-plane:{theirs}")
        deployed.integrate(f"{SECOND}:certificates", "easyrsa:client")
        juju_status.wait_until(deployed, "blocked", SECOND)
        juju_status.run_update_status(deployed, "aws-iam/0")
        juju_status.run_update_status(deployed, f"{SECOND}/0")
        (unit,) = deployed.status().get_units(SECOND).values()
        with_second = _owned(deployed, cluster)
        juju_status.remove(deployed, SECOND)

    assert unit.workload_status.message == (
        f"authenticator owned by 'aws-iam of model {deployed.model}'; if gone, run: {COMMAND}"
    )
    assert with_second == _owned(deployed, cluster) == before
    assert people.failed == []
    assert people.succeeded > 0
    assert "remove it with" not in deployed.debug_log(limit=1000)


def _endpoints(juju: jubilant.Juju) -> tuple[str, str]:
    """Return by which endpoint the application, and by which the control plane is related."""
    has_relation = "aws-iam" in juju.status().apps["aws-iam"].relations
    return ("aws-iam", "aws-iam") if has_relation else ("control-plane", "juju-info")


def _owned(juju: jubilant.Juju, cluster: Cluster) -> dict[str, Any]:
    """Return the objects of the first application, each by its UID, mark and content, and the
    webhook file on the machine."""
    return {
        # From 1.29 on, the control plane writes it itself.
        "file": units.webhook_file(juju, "aws-iam/0") if "aws-iam" in _endpoints(juju) else "",
        **{
            f"{item['kind']}/{item['metadata']['name']}": (
                item["metadata"]["uid"],
                item["metadata"]["annotations"][ANNOTATION],
                item.get("spec") or _values(item.get("data")) or item.get("rules"),
            )
            for item in cluster.objects()
        },
    }


def _values(data: dict[str, str] | None) -> dict[str, str]:
    """Return the data without empty keys. Such a key names a config for the pods, and a former one
    stays where the API server was made to forget who applied it, until the next take-over."""
    return {key: value for key, value in (data or {}).items() if value}
