"""Do what the page on the upgrade of Charmed Kubernetes from 1.28 to 1.29 says."""

from __future__ import annotations

import re

import jubilant
from tests.integration.helpers import how_to, juju_status, units

_PAGE = "upgrade.md"
TITLE = "Upgrade from 1.28 to 1.29"
STEPS = (
    "1. Add the second relation",
    "2. Set the option",
    REMOVE_FIRST := "3. Remove the first relation",
    REFRESH := "4. Refresh the control plane",
)
WAY_BACK = "Roll back"
TOO_EARLY = "If the first relation went too early"


def take(juju: jubilant.Juju, step: str) -> None:
    """Run the step's command: the page's, or the one in the status that the page refers to."""
    for command in commands(step) or [command_in_status(juju)]:
        how_to.run(juju, command)
    settle(juju)
    for line in statuses(step):
        assert status(juju) == line


def commands(heading: str) -> list[str]:
    """Return the commands that the page shows below a heading."""
    return [line for line in shown(heading) if line.startswith("juju ")]


def statuses(heading: str) -> list[str]:
    """Return the statuses that the page shows below a heading, in the form of `status`."""
    return [_generic(line) for line in shown(heading) if not line.startswith("juju ")]


def shown(heading: str) -> list[str]:
    """Return the indented lines below a heading: commands, and what comes of them."""
    return how_to.shown(_PAGE, heading)


def settle(juju: jubilant.Juju) -> None:
    """Wait until every application is active, and the leader has looked at its machine."""
    juju_status.wait_until_active(juju)
    juju_status.run_update_status(juju, units.leader(juju))


def status(juju: jubilant.Juju) -> str:
    """Return the leader's status, without the figures that differ from cluster to cluster."""
    return _generic(_message(juju))


def command_in_status(juju: jubilant.Juju) -> str:
    """Return the command that the leader's status gives, empty if it gives none."""
    return _message(juju).partition("run: ")[2]


def _message(juju: jubilant.Juju) -> str:
    return juju_status.message(juju, units.leader(juju))


def _generic(message: str) -> str:
    return re.sub(r"\d+ mappings?|https://[\d.]+:", "…", message)
