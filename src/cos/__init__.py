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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ops

from juju.peers import Shared
from owner import Owner
from related import RelatedCharm
from text import fingerprint

if TYPE_CHECKING:
    from cluster.answers import Pod

ENDPOINT = "cos-agent"
KEY = "config"

_SRC = Path(__file__).parents[1]
_FOLDERS = (_SRC / "prometheus_alert_rules", _SRC / "grafana_dashboards")

logger = logging.getLogger(__name__)


def lead(charm: RelatedCharm, owner: Owner, shared: Shared, pods: Sequence[Pod]) -> None:
    """Publish the leader's part: the authenticator's ``pods`` are scraped."""
    if relations := _relations(charm):
        from cos import jobs

        _publish(charm, owner, relations, jobs.of(owner, shared, pods))


def follow(charm: RelatedCharm, owner: Owner) -> None:
    """Publish another unit's part."""
    if relations := _relations(charm):
        _publish(charm, owner, relations, [])


def _relations(charm: RelatedCharm) -> list[ops.Relation]:
    return [relation for relation in charm.related(ENDPOINT) if relation.active]


def _publish(
    charm: RelatedCharm,
    owner: Owner,
    relations: Sequence[ops.Relation],
    jobs: Sequence[Mapping[str, Any]],
) -> None:
    def write() -> bool:
        from cos import databag

        config = databag.config(owner, charm.meta.name, jobs)
        changed = [_put(relation.data[charm.unit], config) for relation in relations]
        return any(changed)

    # To compress the dashboards costs more than the rest of a settled hook.
    files = [fingerprint(path.read_text()) for each in _FOLDERS for path in each.iterdir()]
    words = ([relation.id for relation in relations], owner, jobs, sorted(files))
    charm.write_once(ENDPOINT, words, write)


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
