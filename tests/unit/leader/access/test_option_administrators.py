"""The option takes away the last mapping that can administer the cluster: the log says so."""

from __future__ import annotations

import pytest
from tests.fakes.declaring import ACCOUNT, DEV, Declare, entry, names
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster

OPS = f"{ACCOUNT}:role/Ops"
GONE = f"takes away the last mapping that can administer the cluster: admins ({DEV})"
ADMINS = entry("admins", groups=["system:masters"])


def test_given_the_last_administrator_when_the_option_drops_it_then_it_goes_and_the_log_says_so(
    declare: Declare, api: FakeCluster, caplog: pytest.LogCaptureFixture
):
    declare(ADMINS, entry("ops", OPS))
    assert GONE not in caplog.text

    declare(entry("ops", OPS))

    assert names(api) == ["ops"]
    assert caplog.text.count(GONE) == 1


def test_given_no_administrator_before_when_somebody_goes_then_the_log_says_nothing(
    declare: Declare, caplog: pytest.LogCaptureFixture
):
    declare(entry("dev"), entry("ops", OPS))

    declare(entry("ops", OPS))

    assert "administer" not in caplog.text


def test_given_an_administrator_who_stays_when_somebody_goes_then_bindings_are_not_read(
    declare: Declare, api: FakeCluster
):
    declare(ADMINS, entry("ops", OPS))
    api.seen.clear()

    declare(ADMINS)

    assert names(api) == ["admins"]
    assert f"GET {RBAC}/clusterroles" not in api.requests


@pytest.mark.parametrize(("kind", "is_last"), [("ClusterRole", False), ("Role", True)])
def test_given_a_role_of_the_same_name_when_somebody_goes_then_it_makes_nobody_an_administrator(
    declare: Declare, api: FakeCluster, caplog: pytest.LogCaptureFixture, kind: str, is_last: bool
):
    api.add_rules("all", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    api.add_binding("kube-system/ops", f"{kind}/all", Group="ops")
    declare(ADMINS, entry("ops", OPS, groups=["ops"]))

    declare(entry("ops", OPS, groups=["ops"]))

    assert (GONE in caplog.text) is is_last


def test_given_rbac_that_cannot_be_read_when_somebody_goes_then_that_goes_on(
    declare: Declare, api: FakeCluster, caplog: pytest.LogCaptureFixture
):
    declare(ADMINS, entry("ops", OPS))
    api.fail(refusal(403, "forbidden"), request=f"GET {RBAC}/clusterroles")

    declare(entry("ops", OPS))

    assert names(api) == ["ops"]
    assert "cannot tell who can administer the cluster" in caplog.text
