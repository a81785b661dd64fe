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
