"""A second application of the charm on the same machine: it waits until the first one is gone."""

from __future__ import annotations

from typing import Any

import jubilant
import pytest
from tests.integration.helpers import bundle, juju_status, logins, units
from tests.integration.helpers.kubernetes import SERVICE, Cluster

SECOND = "second"
ANNOTATION = "aws-iam/owner"
COMMAND = f"kubectl -n kube-system annotate service aws-iam-authenticator {ANNOTATION}-"
GONE = "gone of model old (11111111-2222-4333-8444-555555555555)"


@pytest.fixture(scope="module")
def before(deployed: jubilant.Juju, cluster: Cluster) -> dict[str, Any]:
    """Return what the first application owns, before there is a second one."""
    return _owned(deployed, cluster)


def test_given_an_owner_when_a_second_application_comes_then_it_is_blocked_and_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster, before: dict[str, Any]
) -> None:
    with logins.RepeatedLogins(cluster) as people:
        deployed.deploy(bundle.packed_charm(), SECOND, base=bundle.BASE)
        ours, theirs = _endpoints(deployed)
        deployed.integrate(f"{SECOND}:{ours}", f"kubernetes-control-plane:{theirs}")
        deployed.integrate(f"{SECOND}:certificates", "easyrsa:client")
        juju_status.wait_until(deployed, "blocked", SECOND)
        juju_status.run_update_status(deployed, "aws-iam/0")
        juju_status.run_update_status(deployed, f"{SECOND}/0")

    (unit,) = deployed.status().get_units(SECOND).values()
    assert unit.workload_status.message == (
        f"authenticator owned by 'aws-iam of model {deployed.model}'; if gone, run: {COMMAND}"
    )
    assert _owned(deployed, cluster) == before
    assert people.failed == []
    assert people.succeeded > 0


def test_given_an_owner_when_the_second_application_is_removed_then_all_of_the_first_stays(
    deployed: jubilant.Juju, cluster: Cluster, before: dict[str, Any]
) -> None:
    juju_status.remove(deployed, SECOND)

    assert _owned(deployed, cluster) == before
    assert logins.wait_for_login(cluster) == "knobby"
    assert "remove it with" not in deployed.debug_log(limit=1000)


def test_given_an_owner_that_is_gone_when_the_command_in_the_status_is_run_then_the_unit_serves(
    deployed: jubilant.Juju, cluster: Cluster, before: dict[str, Any]
) -> None:
    cluster.kubectl("annotate", "--overwrite", *SERVICE, f"{ANNOTATION}={GONE}")
    with juju_status.frequent_update_status(deployed):
        juju_status.wait_until_status_is(deployed, "blocked", seconds=60)
    said = juju_status.message(deployed)
    assert said.startswith("authenticator owned by 'gone of model old'; ")
    assert logins.wait_for_login(cluster) == "knobby"

    cluster.kubectl(*said.partition("run: kubectl ")[2].split())

    with juju_status.frequent_update_status(deployed):
        juju_status.wait_until_status_is(deployed, "active", seconds=60)
    juju_status.wait_until_active(deployed)
    assert _owned(deployed, cluster) == before
    assert logins.wait_for_login(cluster) == "knobby"


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
