"""What `juju status` says, and waiting for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import jubilant
from demo.walk import WAIT_SECONDS
from tests.integration.helpers.eventually import eventually

from testbed import testbedctl

# A real agent hears of a change up to seven seconds after the command that makes it, as seen on
# Juju 4.1, and is idle until then. The testbed's is told at once.
_SUCCESSES = 2 if testbedctl.is_available() else 20
_INTERVAL = "update-status-hook-interval"


@contextlib.contextmanager
def new_model() -> Iterator[jubilant.Juju]:
    """Make a model of its own for as long as the block."""
    with contextlib.ExitStack() as stack:
        yield eventually(lambda: _entered(stack), "a model")


def _entered(stack: contextlib.ExitStack) -> jubilant.Juju | None:
    """Make a model, unless Juju 3.6 refuses it because another one is made at this moment."""
    try:
        return stack.enter_context(jubilant.temp_model())
    except jubilant.CLIError as error:
        if "transaction aborted" in error.stderr:
            return None
        raise


def hear_soon(juju: jubilant.Juju) -> None:
    """Have units of a real Juju hear soon of an option that was reset.

    Juju 4 does not tell them, and they see it at their next update-status. A shorter
    interval than this would leave no time in which all units are idle.
    """
    if not testbedctl.is_available():
        juju.model_config({_INTERVAL: "3m"})


def wait_until_idle(juju: jubilant.Juju) -> None:
    """Wait until no hook runs and none is due, whatever the statuses say."""
    _wait(juju, jubilant.all_agents_idle, WAIT_SECONDS, _SUCCESSES)


def wait_until_active(juju: jubilant.Juju) -> jubilant.Status:
    """Wait until every agent is idle and every application active."""
    return wait_until(juju, "active")


def wait_until(juju: jubilant.Juju, wanted: str, application: str = "aws-iam") -> jubilant.Status:
    """Wait until every agent is idle, `application` is `wanted`, and all others are active."""

    def ready(status: jubilant.Status) -> bool:
        others = [name for name in status.apps if name != application]
        return (
            jubilant.all_agents_idle(status)
            and jubilant.all_active(status, *others)
            and status.apps[application].app_status.current == wanted
        )

    return _wait(juju, ready, WAIT_SECONDS, _SUCCESSES)


def wait_until_status_is(juju: jubilant.Juju, wanted: str, seconds: float) -> jubilant.Status:
    """Wait until aws-iam and its units have the status `wanted`, while agents may be busy.

    A hook sets the application's status before its unit's.
    """

    def ready(status: jubilant.Status) -> bool:
        units = status.get_units("aws-iam").values()
        return status.apps["aws-iam"].app_status.current == wanted and all(
            unit.workload_status.current == wanted for unit in units
        )

    return _wait(juju, ready, seconds)


def wait_for_version(juju: jubilant.Juju, version: str) -> None:
    """Wait until aws-iam has this version, and everything is active."""
    _wait(juju, lambda status: status.apps["aws-iam"].version == version, 120)
    wait_until_active(juju)


def remove(juju: jubilant.Juju, application: str) -> None:
    """Remove an application, and wait until it is gone and every agent is idle."""
    juju.remove_application(application)

    def gone(status: jubilant.Status) -> bool:
        return application not in status.apps and jubilant.all_agents_idle(status)

    _wait(juju, gone, 120, successes=2)


def _wait(
    juju: jubilant.Juju,
    ready: Callable[[jubilant.Status], bool],
    seconds: float,
    successes: int = 1,
) -> jubilant.Status:
    """Wait until `ready` holds, `successes` times in a row, while nothing is in error."""
    error = jubilant.any_error
    return juju.wait(ready, error=error, delay=0.5, successes=successes, timeout=seconds)


@contextlib.contextmanager
def frequent_update_status(juju: jubilant.Juju) -> Iterator[None]:
    """Run update-status every 3 seconds for as long as the block, instead of every 5 minutes.

    Agents are hardly ever idle meanwhile, so wait for idle ones after the block only.
    """
    with _update_status(juju, "3s"):
        yield


@contextlib.contextmanager
def no_update_status(juju: jubilant.Juju) -> Iterator[None]:
    """Run no update-status that nobody asked for, for as long as the block."""
    with _update_status(juju, "24h"):
        yield


@contextlib.contextmanager
def _update_status(juju: jubilant.Juju, interval: str) -> Iterator[None]:
    before = juju.model_config()[_INTERVAL]
    juju.model_config({_INTERVAL: interval})
    try:
        yield
    finally:
        juju.model_config({_INTERVAL: before})


def run_update_status(juju: jubilant.Juju, unit: str) -> None:
    """Run update-status on a unit at once, and wait until no hook runs or is due.

    On a real Juju, this is the command that statuses give.
    """
    if testbedctl.is_available():
        testbedctl.update_status(juju.model or "", unit)
        return
    juju.exec("JUJU_DISPATCH_PATH=hooks/update-status ./dispatch", unit=unit)
    wait_until_idle(juju)


def wait_until_active_without(juju: jubilant.Juju, lost: str) -> None:
    """Wait until all units of aws-iam but `lost` are active and idle, and one of them leads."""

    def ready(status: jubilant.Status) -> bool:
        left = {n: u for n, u in status.get_units("aws-iam").items() if n != lost}
        return any(unit.leader for unit in left.values()) and all(
            unit.is_active and unit.juju_status.current == "idle" for unit in left.values()
        )

    juju.wait(ready, delay=0.5, successes=4, timeout=WAIT_SECONDS)


def message(juju: jubilant.Juju, unit: str = "aws-iam/0") -> str:
    """Return the line that the operator reads."""
    return juju.status().get_units("aws-iam")[unit].workload_status.message
