# SPDX-License-Identifier: Apache-2.0

"""The endpoint ``cos-agent``: what a collector of the Canonical Observability Stack is to do.

It speaks the provider's side of the interface cos_agent, version 0, in the unit's databag:
https://github.com/canonical/charmlibs/tree/main/interfaces/cos_agent. The interface's library
would load pydantic in every hook.

The collector takes the rules and dashboards of an application from whichever unit it meets
first. So all units publish the same, and the leader tells the others the facts in the rules. It
takes scrape jobs from each unit, so only the leader publishes some: one scrape of each pod.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ops

from certificates.keypair import KeyPair
from errors import Unready
from juju.peers import Peers
from owner import Owner
from related import RelatedCharm
from text import fingerprint

if TYPE_CHECKING:
    from cluster.answers import Pod
    from cos.facts import Facts

ENDPOINT = "cos-agent"
KEY = "config"

_SRC = Path(__file__).parents[1]
_FOLDERS = (_SRC / "prometheus_alert_rules", _SRC / "grafana_dashboards")

logger = logging.getLogger(__name__)


def lead(
    charm: RelatedCharm,
    owner: Owner,
    peers: Peers,
    pair: KeyPair,
    counted: Facts,
    pods: Sequence[Pod],
) -> None:
    """Publish the leader's part, and tell the other units the facts in the rules.

    The authenticator's ``pods`` serve ``pair``; all other facts are ``counted``.

    Raise `errors.Unready` if this unit no longer leads.
    """
    relations = _relations(charm)
    if not relations and not peers.shared.facts:
        return
    from cos import facts, jobs

    known = facts.learn(peers.shared.facts, pair, counted).dump() if relations else ""
    peers.change(facts=known)
    if relations:
        _publish(charm, owner, relations, known, jobs.of(owner, peers.shared, pods))


def note_next_end(
    charm: RelatedCharm, owner: Owner, peers: Peers, next_end: datetime.datetime | None
) -> None:
    """Publish when access ends next, and leave the rest of the leader's part as it is.

    Access also ends in a hook that does not come to `lead`.
    """
    if not peers.shared.facts:
        return
    from cos import facts

    former = facts.load(peers.shared.facts)
    seconds = facts.seconds(next_end)
    if not former or former.next_end == seconds:
        return
    known = dataclasses.replace(former, next_end=seconds).dump()
    with contextlib.suppress(Unready):  # This unit no longer leads.
        peers.change(facts=known)
    for relation in _relations(charm):
        if published := relation.data[charm.unit].get(KEY):
            jobs = json.loads(published)["metrics_scrape_jobs"]
            _publish(charm, owner, [relation], known, jobs)


def follow(charm: RelatedCharm, owner: Owner, facts: str) -> None:
    """Publish another unit's part. ``facts`` is empty if the leader knows of no collector."""
    if facts:
        _publish(charm, owner, _relations(charm), facts, [])


def _relations(charm: RelatedCharm) -> list[ops.Relation]:
    return [relation for relation in charm.related(ENDPOINT) if relation.active]


def _publish(
    charm: RelatedCharm,
    owner: Owner,
    relations: Sequence[ops.Relation],
    facts: str,
    jobs: Sequence[Mapping[str, Any]],
) -> None:
    def write() -> bool:
        from cos import databag

        config = databag.config(owner, charm.meta.name, facts, jobs)
        changed = [_put(relation.data[charm.unit], config) for relation in relations]
        return any(changed)

    if relations:
        # To compress the dashboards costs more than the rest of a settled hook.
        files = [fingerprint(path.read_text()) for each in _FOLDERS for path in each.iterdir()]
        words = ([relation.id for relation in relations], owner, facts, jobs, sorted(files))
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
