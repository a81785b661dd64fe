"""Hooks that fail: what is shown, what becomes of their writes, and how an operator goes on."""

from __future__ import annotations

import pytest

from operators import Operator
from unit.juju.charms import PRINCIPAL, STARTS, pack

# The charm's option names the hook that fails, after it has written to its peers.
FAILING = (
    STARTS
    + """
relation=$(relation-ids friends)
[ "$JUJU_HOOK_NAME" = update-status ] || relation-set -r $relation last=$JUJU_HOOK_NAME
[ "$JUJU_HOOK_NAME" != "$(config-get fail)" ] || exit 7
"""
)


@pytest.fixture(scope="module")
def failed(juju: Operator) -> Operator:
    """Deploy two hosts whose config-changed fails, without retries."""
    pack(juju.folder, PRINCIPAL, behaviour=FAILING, config={"fail": {"type": "string"}})
    juju("model-config", "automatically-retry-hooks=false")
    juju("deploy", "./host.charm", "-n", "2", "--config", "fail=config-changed")
    juju.settle()
    return juju


def workloads(juju: Operator) -> list[tuple[str, str]]:
    units = juju.status()["applications"]["host"]["units"]
    shown = [units[name]["workload-status"] for name in sorted(units)]
    return [(status["current"], status.get("message", "")) for status in shown]


def written(juju: Operator, unit: str) -> str:
    return juju.shown(unit, "friends")["local-unit"]["data"]["last"]


FAILED = ("error", 'hook failed: "config-changed"')


def test_a_failed_hook_is_shown_and_none_of_its_writes(failed: Operator) -> None:
    assert workloads(failed) == [FAILED, FAILED]
    assert written(failed, "host/0") != "config-changed"


def test_a_hook_that_fails_again_is_in_error_again(failed: Operator) -> None:
    failed("resolved", "host/0")
    failed.settle()

    assert workloads(failed) == [FAILED, FAILED]


def test_a_failed_hook_is_skipped_without_a_retry(failed: Operator) -> None:
    failed("resolved", "--no-retry", "host/0")
    failed.settle()

    assert workloads(failed) == [("active", ""), FAILED]
    ran = failed.hooks("host/0")
    assert ("start" in ran, "config-changed" in ran) == (True, False)


def test_only_units_in_error_are_resolved_and_each_refusal_is_said(failed: Operator) -> None:
    failed("config", "host", "fail=never")
    failed.settle()

    said = failed.refused("resolved", "host/0", "host/1")
    failed.settle()

    assert "error state" in said
    assert workloads(failed) == [("active", ""), ("active", "")]
    ran = failed.hooks("host/1")
    assert ran.index("config-changed") < ran.index("start")
    assert "config-changed" in failed.hooks("host/0")
