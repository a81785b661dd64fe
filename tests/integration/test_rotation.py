"""New certificates and new authorities, with three units whose hooks come in any order."""

from __future__ import annotations

import jubilant
import pytest
from tests.integration import model, units

pytestmark = pytest.mark.slow

LATE = "waiting for {} to trust the new authority"


@pytest.fixture(scope="module", autouse=True)
def forwarding(trio: jubilant.Juju) -> None:
    units.forward(trio)


@pytest.fixture(autouse=True)
def settled(trio: jubilant.Juju, cluster: model.Kubernetes) -> None:
    """One authority, which every unit trusts, and nothing left of a test before."""
    model.settle(trio)
    units.end_former_pods(trio, cluster)
    units.everyone_trusts(trio, units.authority(trio))


def follower(juju: jubilant.Juju) -> str:
    return units.followers(juju)[-1]


def test_given_a_new_leaf_of_the_same_authority_then_the_pods_have_it_and_no_file_changes(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    files = {unit: units.file_of(trio, unit) for unit in units.names(trio)}
    before = units.presented(trio, cluster)

    trio.run("easyrsa/0", "reissue")
    model.settle(trio)

    assert units.newly_presented(trio, cluster) != before
    assert {unit: units.file_of(trio, unit) for unit in units.names(trio)} == files
    units.everyone_logs_in(trio, cluster)


def test_given_a_new_authority_then_the_old_one_goes_with_its_last_pod(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    former = units.authority(trio)

    trio.run("easyrsa/0", "new-ca")
    model.settle(trio)

    new = units.authority(trio)
    units.everyone_trusts(trio, former, new)
    units.everyone_logs_in(trio, cluster)
    assert "former authority" in model.message(trio, units.leader(trio))

    units.end_former_pods(trio, cluster)
    units.everyone_trusts(trio, new)
    units.newly_presented(trio, cluster)
    units.everyone_logs_in(trio, cluster)
    assert "former authority" not in model.message(trio, units.leader(trio))


def test_given_a_unit_whose_agent_is_late_then_the_pods_keep_the_certificate_that_it_trusts(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    late, former = follower(trio), units.authority(trio)
    before = units.presented(trio, cluster)
    units.lose_agent(trio, late)

    trio.run("easyrsa/0", "new-ca")
    units.await_message(trio, LATE.format(late))

    new = units.authority(trio)
    for unit in units.names(trio):
        expected = {former} if unit == late else {former, new}
        assert units.trusted(trio, unit) == expected
    assert units.presented(trio, cluster) == before
    units.everyone_logs_in(trio, cluster)

    units.bring_back_agent(trio, late)
    model.settle(trio)
    assert units.newly_presented(trio, cluster) != before
    units.everyone_logs_in(trio, cluster)


def test_given_a_control_plane_whose_agent_is_late_then_the_pods_keep_the_certificate_too(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    late = follower(trio)
    before = units.presented(trio, cluster)
    units.lose_agent(trio, units.principal(trio, late))

    trio.run("easyrsa/0", "new-ca")
    units.await_message(trio, LATE.format(late))

    assert units.presented(trio, cluster) == before
    units.everyone_logs_in(trio, cluster)

    units.bring_back_agent(trio, units.principal(trio, late))
    model.settle(trio)
    assert units.newly_presented(trio, cluster) != before
    units.everyone_logs_in(trio, cluster)


def test_given_a_leader_that_dies_in_the_middle_then_another_brings_it_to_its_end(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    late, former, dead = follower(trio), units.authority(trio), units.leader(trio)
    before = units.presented(trio, cluster)
    units.lose_agent(trio, late)
    trio.run("easyrsa/0", "new-ca")
    units.await_message(trio, LATE.format(late))

    units.lose_agent(trio, dead)
    units.await_message(trio, LATE.format(late))
    assert units.leader(trio) not in (dead, late)
    assert units.presented(trio, cluster) == before

    units.bring_back_agent(trio, late)
    units.settle_without(trio, dead)
    assert units.newly_presented(trio, cluster) != before
    assert units.trusted(trio, dead) == {former, units.authority(trio)}
    units.everyone_logs_in(trio, cluster)

    units.bring_back_agent(trio, dead)
    model.settle(trio)
    units.everyone_logs_in(trio, cluster)


def test_given_two_new_authorities_in_a_row_then_the_last_one_stays(
    trio: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    trio.run("easyrsa/0", "new-ca")
    trio.run("easyrsa/0", "new-ca")
    model.settle(trio)
    units.everyone_logs_in(trio, cluster)

    units.end_former_pods(trio, cluster)
    units.everyone_trusts(trio, units.authority(trio))
    units.newly_presented(trio, cluster)
    units.everyone_logs_in(trio, cluster)
