"""Three control-plane units: one leads, and any of them may come, go or be lost."""

from __future__ import annotations

import jubilant
import pytest
from tests.integration import model, units

pytestmark = pytest.mark.slow

SERVICE = ("-n", "kube-system", "service", "aws-iam-authenticator")


@pytest.fixture(scope="module")
def known(trio: jubilant.Juju, cluster: model.Kubernetes) -> units.Identity:
    """What must survive all that follows."""
    return units.identity(trio, cluster)


def test_given_three_units_then_people_log_in_through_each_api_server(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    assert len(units.names(trio)) == 3
    units.everyone_logs_in(trio, cluster)


def test_given_three_units_then_the_leader_alone_asks_for_a_certificate(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    assert units.askers(trio) == [units.leader(trio)]


def test_given_no_way_to_kubernetes_then_the_units_that_do_not_lead_follow_all_the_same(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    followers = units.followers(trio)
    before = {unit: units.file_of(trio, unit) for unit in followers}
    with units.without_admin_kubeconfig(trio, followers):
        for unit in followers:
            trio.exec("rm", units.WEBHOOK, unit=unit)
            units.run_update_status(trio, unit)

        for unit in followers:
            assert units.file_of(trio, unit) == before[unit]
            assert trio.status().get_units("aws-iam")[unit].is_active


def test_given_a_leader_that_is_lost_then_another_leads_and_nothing_that_people_see_changes(
    trio: jubilant.Juju, cluster: model.Kubernetes, known: units.Identity
) -> None:
    former = units.leader(trio)

    units.lose_agent(trio, former)
    units.settle_without(trio, former)

    assert units.leader(trio) != former
    assert units.leader(trio) in units.askers(trio)
    assert units.identity(trio, cluster) == known
    units.everyone_logs_in(trio, cluster)


def test_given_a_leader_that_comes_back_then_it_follows_and_asks_for_nothing(
    trio: jubilant.Juju, cluster: model.Kubernetes, known: units.Identity
) -> None:
    back = "aws-iam/0"
    units.bring_back_agent(trio, back)
    model.settle(trio)

    assert units.leader(trio) != back
    assert units.askers(trio) == [units.leader(trio)]
    assert units.identity(trio, cluster) == known
    units.everyone_logs_in(trio, cluster)


def test_given_a_leader_whose_machine_is_given_up_then_the_cluster_keeps_what_it_applied(
    trio: jubilant.Juju, cluster: model.Kubernetes, known: units.Identity
) -> None:
    former = units.leader(trio)
    uids = units.uids(cluster)

    trio.remove_unit(units.principal(trio, former))
    trio.wait(
        lambda status: former not in status.get_units("aws-iam"),
        error=jubilant.any_error,
        delay=0.5,
        timeout=120,
    )
    model.settle(trio)

    assert units.uids(cluster) == uids
    assert units.askers(trio) == [units.leader(trio)]
    assert units.identity(trio, cluster) == known
    units.everyone_logs_in(trio, cluster)


def test_given_a_unit_that_joins_later_then_people_log_in_through_its_api_server(
    trio: jubilant.Juju, cluster: model.Kubernetes, known: units.Identity
) -> None:
    before = set(units.names(trio))

    trio.add_unit("kubernetes-control-plane")
    model.settle(trio)

    joined = set(units.names(trio)) - before
    assert len(joined) == 1
    assert units.askers(trio) == [units.leader(trio)]
    assert units.identity(trio, cluster) == known
    units.everyone_logs_in(trio, cluster)


def test_given_a_service_deleted_by_hand_and_its_address_taken_then_all_of_it_moves(
    trio: jubilant.Juju, cluster: model.Kubernetes, known: units.Identity
) -> None:
    cluster.kubectl("delete", *SERVICE)
    thief = f"--clusterip={known.address}"
    cluster.kubectl("create", "service", "clusterip", "thief", thief, "--tcp=443")

    units.run_update_status(trio, units.leader(trio))
    model.settle(trio)

    moved = units.identity(trio, cluster)
    assert moved.address != known.address
    assert moved.address in units.certified(cluster)
    for unit in units.names(trio):
        assert moved.address in units.file_of(trio, unit)
    units.everyone_logs_in(trio, cluster)
