# SPDX-License-Identifier: Apache-2.0

"""The endpoint ``cos-agent``: what a collector of the Canonical Observability Stack is to do.

It speaks the provider's side of the interface cos_agent, version 0, in the unit's databag:
https://github.com/canonical/charmlibs/tree/main/interfaces/cos_agent. The interface's library
would load pydantic in every hook.

The collector takes the rules and dashboards of an application from whichever unit it meets
first, so all units publish the same. It takes scrape jobs from each unit, so only the leader
publishes some: one scrape of each pod.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ops

from cos.databag import CHARM_FOLDER, DASHBOARD, RULES, config
from juju.peers import Shared
from owner import Owner
from related import RelatedCharm
from text import fingerprint

if TYPE_CHECKING:
    from cluster.answers import Pod

ENDPOINT = "cos-agent"
KEY = "config"

logger = logging.getLogger(__name__)


def publish(
    charm: RelatedCharm, owner: Owner, shared: Shared, pods: Sequence[Pod] | None = None
) -> None:
    """Publish this unit's part. The leader's has the authenticator's ``pods``, to be scraped."""
    relations = [relation for relation in charm.related(ENDPOINT) if relation.active]
    if not relations:
        return
    scraped: list[dict[str, Any]] = []
    if pods is not None:
        from cos import jobs

        scraped = jobs.of(owner, shared, pods)

    def write() -> bool:
        content = config(owner, charm.meta.name, scraped)
        changed = [_put(relation.data[charm.unit], content) for relation in relations]
        return any(changed)

    # To compress the dashboard costs more than the rest of a settled hook.
    files = [fingerprint((CHARM_FOLDER / path).read_text()) for path in (RULES, DASHBOARD)]
    charm.write_once(ENDPOINT, ([each.id for each in relations], owner, scraped, files), write)


def _put(data: ops.RelationDataContent, config: str) -> bool:
    """Write ``config``, and return whether Juju had another."""
    try:
        if data.get(KEY) == config:
            return False
        data[KEY] = config
    except ops.ModelError as error:
        # Juju has no databag before this unit has entered a relation between subordinates.
        logger.warning("the collector gets nothing before the next hook: %s", error)
    return True
