"""The action `check`: what it finds, and the commands that it gives."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping

import jubilant
from tests.integration.helpers import juju_status, testbed_only
from tests.integration.helpers.eventually import eventually

from testbed.faults import client

STEPS = (
    "1-kubernetes",
    "2-pods",
    "3-webhook",
    "4-sts",
    "5-end-to-end",
)
ALL_OK = f"all {len(STEPS)} steps are ok"


def check(juju: jubilant.Juju, unit: str = "aws-iam/0", **params: str) -> dict[str, str]:
    """Return the results of the action, also if it fails, and print them."""
    message = ""
    try:
        results = juju.run(unit, "check", params).results
    except jubilant.TaskError as failure:
        results, message = failure.task.results, failure.task.message
    print(f"check: {results}")
    assert message in ("", results["result"])
    return {name: results[name] for name in (*STEPS, "result")}


def states(results: dict[str, str]) -> dict[str, str]:
    """Return the state of each step that is not ok."""
    found = {step: results[step].partition(":")[0] for step in STEPS}
    return {step: state for step, state in found.items() if state != "ok"}


def _change_nothing() -> None:
    """Leave everything as it is."""


def check_until(
    juju: jubilant.Juju,
    wanted: Mapping[str, str],
    unit: str = "aws-iam/0",
    breaks: Callable[[], None] = _change_nothing,
    **params: str,
) -> dict[str, str]:
    """Check until just the steps `wanted` are not ok, with these states, and return the results.

    A busy machine may give no answer within the time of one check; kube-proxy and pods hear of a
    change a moment later, and a unit of a real Juju at its next update-status. A hook that runs in
    between fixes what it finds broken, so `breaks` breaks it again ahead of each check.
    """

    def found() -> dict[str, str] | None:
        breaks()
        results = check(juju, unit, **params)
        return results if states(results) == wanted else None

    return eventually(found, f"not ok: {wanted}", juju_status.WAIT_SECONDS)


def run_remedy(juju: jubilant.Juju, text: str) -> None:
    """Run the command that a step gives, as an operator who copies it."""
    _, _, command = text.partition("\nrun: ")
    program, verb, *_ = command.split()
    if program == "juju":
        command = command.replace(f"juju {verb}", f"juju {verb} --model {juju.model}")
    subprocess.run(["/bin/bash", "-ec", command], check=True, timeout=120)


def wait_until_ok(juju: jubilant.Juju, unit: str = "aws-iam/0") -> None:
    """Check until all steps are ok.

    An API server that asks the pods itself takes a while to see that its connection is to a pod
    that was killed.
    """
    check_until(juju, {}, unit)


@contextlib.contextmanager
def broken(juju: jubilant.Juju, what: str) -> Iterator[None]:
    """Break something for the model's machines and pods, for as long as the block."""
    testbed_only.require("only the testbed breaks this at will")
    with client.broken(juju.model or "", what):
        yield
