"""The bases that charms support and machines have: `ubuntu@24.04`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from testbed.juju.errors import JujuError

LATEST_LTS = "ubuntu@24.04"
"""What the Juju of the testbed deploys on, unless something is said or supported."""


def parse(text: str) -> str:
    """Return `ubuntu@24.04` for `ubuntu@24.04/stable`."""
    return text.partition("/")[0]


def choose(charm: str, supported: Sequence[str], wanted: str) -> str:
    """Return the base to deploy on: the wanted one, the latest LTS, or the charm's first.

    A charm that lists no bases supports all.

    Raises:
        JujuError: the charm does not support the wanted base.
    """
    wanted = parse(wanted)
    if wanted and supported and wanted not in supported:
        raise JujuError(
            f'base "{wanted}" is not supported by charm "{charm}", '
            f"supported bases are: {', '.join(supported)}"
        )
    if wanted:
        return wanted
    if not supported or LATEST_LTS in supported:
        return LATEST_LTS
    return supported[0]
