"""Three control-plane units: one leads, and each of them may join, leave or be lost."""

from __future__ import annotations

import json
from dataclasses import dataclass

import jubilant
import pytest
from tests.integration.helpers import (
    certificates,
    checking,
    juju_status,
    kubernetes,
    logins,
    testbed_only,
    units,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import DEPLOYMENT, KUBE_SYSTEM, Cluster

from testbed import testbedctl

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Identity:
    """What must outlive every unit: the cluster id that tokens are made for, the address in every
    webhook file, and the fingerprint of the certificate that the pods serve with."""

    cluster_id: str
    address: str
    certificate: str


def identity(juju: jubilant.Juju, cluster: Cluster) -> Identity:
    """Return what the cluster and the control planes know the application by now."""
    published = {
        json.loads(units.databag(juju, principal, "aws-iam")["cluster_id"])
        for principal in units.principals(juju)
    }
    assert len(published) == 1, f"the control planes have {published}"
    return Identity(published.pop(), cluster.address(), certificates.served(cluster))


def uids(cluster: Cluster) -> set[str]:
    """Return the uid of every object that carries the charm's label."""
    kinds = "deploy,svc,cm,sa,secret,pdb,clusterrole,clusterrolebinding"
    found = cluster.get(*KUBE_SYSTEM, kinds, "-l", "aws-iam=true")["items"]
    assert len(found) == len(kinds.split(",")), [item["kind"] for item in found]
    return {item["metadata"]["uid"] for item in found}


@pytest.fixture(scope="module")
def trio(trio: jubilant.Juju) -> jubilant.Juju:
    """Have the testbed's API servers ask the webhook themselves: each restarts for a new file."""
    if testbedctl.is_available():
        trio.config("kubernetes-control-plane", {"webhook-caller": "kube-apiserver"})
        juju_status.wait_until_active(trio)
    return trio


@pytest.fixture(scope="module")
def known(trio: jubilant.Juju, cluster: Cluster) -> Identity:
    """Return what every change of units must keep."""
    return identity(trio, cluster)


def test_given_three_units_then_people_log_in_through_each_api_server(
    trio: jubilant.Juju, cluster: Cluster
) -> None:
    assert len(units.names(trio)) == 3
    logins.log_in_everywhere(trio, cluster)


def test_given_a_file_that_is_gone_on_one_machine_then_the_next_hook_writes_it(
    trio: jubilant.Juju,
) -> None:
    *_, last = units.names(trio)
    trio.exec(f"rm {units.WEBHOOK}", unit=units.principal(trio, last))

    juju_status.run_update_status(trio, last)

    trio.exec(f"test -s {units.WEBHOOK}", unit=units.principal(trio, last))
    checking.wait_until_ok(trio, last)


def test_given_a_leader_that_is_lost_then_another_leads_and_people_notice_nothing(
    trio: jubilant.Juju, cluster: Cluster, known: Identity
) -> None:
    former = units.leader(trio)

    testbed_only.stop_agent(trio, former)
    juju_status.wait_until_active_without(trio, former)

    assert units.leader(trio) != former
    assert units.leader(trio) in units.certificate_requesters(trio)
    assert identity(trio, cluster) == known
    logins.log_in_everywhere(trio, cluster)


def test_given_a_lost_leader_that_comes_back_then_it_follows_and_nothing_changes(
    trio: jubilant.Juju, cluster: Cluster, known: Identity
) -> None:
    testbed_only.require("only the testbed loses an agent at will")
    found = trio.status().get_units("aws-iam")
    back = next(name for name, unit in found.items() if unit.juju_status.current == "lost")
    testbed_only.start_agent(trio, back)
    # Where nothing has changed meanwhile, Juju runs no hook on it before the next update-status.
    juju_status.run_update_status(trio, back)
    juju_status.wait_until_active(trio)

    assert units.leader(trio) != back
    assert identity(trio, cluster) == known
    logins.log_in_everywhere(trio, cluster)


def remove(trio: jubilant.Juju, cluster: Cluster, unit: str, *, force: bool = False) -> None:
    """Remove the control plane that a unit is on, and wait until both are gone.

    The administrator uses the API server of another one from now on. A control plane that is
    removed by force may be in error for its last moments.
    """
    other = next(name for name in units.names(trio) if name != unit)
    cluster.admin.write_text(kubernetes.admins_kubeconfig(trio, units.principal(trio, other)))
    trio.remove_unit(units.principal(trio, unit), force=force)
    trio.wait(
        lambda status: unit not in status.get_units("aws-iam"),
        error=None if force else jubilant.any_error,
        delay=0.5,
        timeout=120,
    )
    juju_status.wait_until_active(trio)


@pytest.fixture(scope="module")
def granted(trio: jubilant.Juju, known: Identity) -> str:
    """Return the name of a mapping whose access ends in two hours."""
    asked = {"arn": "arn:aws:iam::111122223333:user/alice", "username": "alice", "for": "2h"}
    return trio.run("aws-iam/leader", "grant-access", asked).results["mapping"]


def test_given_a_leader_whose_unit_is_removed_then_the_cluster_keeps_every_object(
    trio: jubilant.Juju, cluster: Cluster, known: Identity, granted: str
) -> None:
    before = uids(cluster)

    remove(trio, cluster, units.leader(trio))

    assert uids(cluster) == before
    assert cluster.get("iamidentitymapping", granted)
    assert units.certificate_requesters(trio) == [units.leader(trio)]
    assert identity(trio, cluster) == known
    logins.log_in_everywhere(trio, cluster)


def test_given_a_unit_that_joins_later_then_people_log_in_through_its_api_server(
    trio: jubilant.Juju, cluster: Cluster, known: Identity
) -> None:
    before = set(units.names(trio))

    trio.add_unit("kubernetes-control-plane")
    juju_status.wait_until_active(trio)

    joined = set(units.names(trio)) - before
    assert len(joined) == 1
    assert units.certificate_requesters(trio) == [units.leader(trio)]
    assert identity(trio, cluster) == known
    logins.log_in_everywhere(trio, cluster)


def test_given_a_follower_whose_unit_is_removed_by_force_then_the_cluster_keeps_every_object(
    trio: jubilant.Juju, cluster: Cluster, known: Identity, granted: str
) -> None:
    before = uids(cluster)

    remove(trio, cluster, units.followers(trio)[0], force=True)

    assert uids(cluster) == before
    assert cluster.get("iamidentitymapping", granted)
    assert identity(trio, cluster) == known
    logins.log_in_everywhere(trio, cluster)


def test_given_a_new_pod_on_a_node_that_is_lost_then_another_node_has_it_within_minutes(
    trio: jubilant.Juju, cluster: Cluster
) -> None:
    testbed_only.require("only the testbed stops a machine with its unit")
    there = {machine.hostname for machine in trio.status().machines.values()}
    gone = set(cluster.nodes()) - there
    assert gone

    def has_pod() -> bool:
        return any(pod["spec"].get("nodeName") in gone for pod in cluster.pods())

    def serving() -> int:
        return cluster.get(*DEPLOYMENT)["status"].get("readyReplicas", 0)

    with cluster.without_room(*(set(cluster.nodes()) - gone)):
        trio.config("aws-iam", {"replicas": 3})
        # A slow machine may come here after Kubernetes has missed the nodes.
        eventually(
            lambda: has_pod() or not any(map(cluster.is_ready, gone)), "a pod on a lost node"
        )

    eventually(lambda: serving() == 3, "three pods that serve", seconds=180)

    juju_status.wait_until_active(trio)
    trio.config("aws-iam", reset="replicas")
    juju_status.wait_until_active(trio)


def test_given_a_service_deleted_by_hand_and_its_address_taken_then_everything_has_the_new_one(
    trio: jubilant.Juju, cluster: Cluster, known: Identity
) -> None:
    cluster.free_address()
    cluster.take_address(known.address)

    juju_status.run_update_status(trio, units.leader(trio))
    juju_status.wait_until_active(trio)

    moved = identity(trio, cluster)
    assert moved.address != known.address
    eventually(
        lambda: all(moved.address in units.webhook_file(trio, name) for name in units.names(trio)),
        "the address in every webhook file",
    )
    logins.log_in_everywhere(trio, cluster)
