"""`juju resolved`, by which an operator has a failed hook run again or skipped."""

from __future__ import annotations

import pytest

from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, STARTS, pack
from unit.juju.conftest import Juju, in_manner

# The charm's option names the hook that fails.
FAILING = (
    STARTS
    + """
if [ "$JUJU_HOOK_NAME" = "$(config-get fail)" ]; then exit 7; fi
"""
)
REFUSALS = {
    Manner.JUJU_3_6: 'unit "host/0" is not in an error state',
    Manner.JUJU_4_1: "status: unit is not in error state",
}


@pytest.fixture
def failed(juju: Juju) -> Juju:
    """Deploy two hosts whose config-changed fails, without retries."""
    pack(juju.folder, PRINCIPAL, behaviour=FAILING, config={"fail": {"type": "string"}})
    juju("model-config", "automatically-retry-hooks=false")
    juju("deploy", "./host.charm", "-n", "2", "--config", "fail=config-changed")
    juju.settle()
    return juju


def messages(juju: Juju) -> list[str]:
    units = juju.status()["applications"]["host"]["units"]
    return [unit["workload-status"].get("message", "") for unit in units.values()]


def test_all_units_in_error_are_resolved_together(failed: Juju) -> None:
    failed("config", "host", "fail=never")

    failed("resolved", "--all")
    failed.settle()

    assert messages(failed) == ["", ""]


@in_manner(*REFUSALS)
def test_only_units_in_error_are_resolved_and_each_refusal_is_said(failed: Juju) -> None:
    failed("config", "host", "fail=never")
    failed("resolved", "host/0")
    failed.settle()

    said = failed.refused("resolved", "host/0", "host/9", "host/1")
    failed.settle()

    refusal, unknown = said.splitlines()
    assert refusal.endswith(REFUSALS[failed.controller.manner])
    assert unknown == 'unit "host/9" not found'
    assert messages(failed) == ["", ""]


@in_manner(*Manner)
def test_what_an_agent_has_not_seen_yet_is_resolved_again_on_4_1_alone(failed: Juju) -> None:
    failed.control("stop-agent", "host/0")
    failed("resolved", "host/0")

    again = failed.try_("resolved", "--no-retry", "host/0")
    failed.control("start-agent", "host/0")
    failed.settle()

    newer = failed.controller.manner is Manner.JUJU_4_1
    assert ("already resolved" not in again.stderr) is newer
    assert (messages(failed)[0] == "") is newer


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "no unit specified"),
        (("--all", "host/0"), 2, "specifying unit names(s) with --all not supported"),
        (("host",), 2, 'unit name "host" not valid'),
        (("host/0", "host/0"), 1, "duplicate unit specified"),
    ],
)
def test_a_command_line_that_juju_refuses_is_refused(
    juju: Juju, words: tuple[str, ...], code: int, said: str
) -> None:
    assert said in juju.refused("resolved", *words, code=code)
