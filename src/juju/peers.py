# SPDX-License-Identifier: Apache-2.0

"""What the leader tells the other units. Public data only."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import ops

from certificates import ca_bundle
from errors import Waiting
from statuses import waiting
from text import is_ip

RELATION = "peers"


class Ended(NamedTuple):
    """An access that the charm has ended."""

    name: str  # The mapping's name.
    arn: str  # The principal, as the mapping spelt it.
    at: str  # When it ended, as `times.shown` says it.


@dataclasses.dataclass(frozen=True)
class Shared:
    """What all units work from: the application databag."""

    cluster_id: str = ""  # What a login token must be made for.
    address: str = ""  # ClusterIP of the Service.
    ca: str = ""  # CA bundle for the control planes to trust.
    serving: bool = False  # Whether the authenticator has ever served.
    # The ids of the relations with the control plane that all this is about.
    relations: frozenset[str] = frozenset()
    inherited: bool = False  # Whether the reactive charm's leader data is still to be removed.
    region: str = ""  # The AWS region of the nodes; empty if they are elsewhere.
    # The access that the charm has ended within a day, the last of it at the end.
    ended: tuple[Ended, ...] = ()

    def of_relations(self, relations: frozenset[str]) -> Shared:
        """Return what is true for a unit that has these relations with its control plane.

        Juju keeps an application and its databag without units. What the former units deployed
        went with them, so the units of another relation take over neither CA bundle nor webhook.
        They keep the cluster id, which people have, and ask for the same address. Units that
        change from one endpoint to another have both relations meanwhile, and keep everything.
        """
        new = dataclasses.replace(self, relations=relations)
        if self.relations & relations:
            return new
        return dataclasses.replace(new, ca="", serving=False)


class Peers:
    """The peer relation. Without it (a unit's first moments, or its last) nothing is known
    and nothing is kept.
    """

    def __init__(self, charm: ops.CharmBase):
        self._charm = charm
        self.joined = False  # Whether there is a databag to keep what must not be lost.
        self.shared = Shared()  # What the leader published last, or this hook has.
        # Not by ops' `Relation`, which asks for the units of each relation.
        for relation in ops.hookcmds.relation_ids(RELATION):
            number = int(relation.rpartition(":")[2])
            try:
                data = ops.hookcmds.relation_get(number, unit=charm.app.name, app=True)
            except ops.hookcmds.Error as error:
                # Juju 4 lists the relation for a unit that is not in it yet, or no more.
                if "permission denied" not in error.stderr:
                    raise
            else:
                self.joined, self.shared = True, _shared(data)

    def change(self, **changes: Any) -> None:
        """Publish ``changes`` of fields of `Shared`, as `publish` does."""
        self.publish(dataclasses.replace(self.shared, **changes))

    def publish(self, new: Shared) -> None:
        """Make ``new`` what is published. Raise `errors.Waiting` if this unit no longer leads:
        only the leader may change it."""
        changes = self.joined and new != self.shared
        relation = self._charm.model.get_relation(RELATION) if changes else None
        if not relation:
            return
        values = {
            "cluster-id": new.cluster_id,
            "address": new.address,
            "ca": new.ca,
            "serving": "true" if new.serving else "",
            "relation": " ".join(sorted(new.relations)),
            "inherited": "true" if new.inherited else "",
            "region": new.region,
            "ended": json.dumps(new.ended) if new.ended else "",
        }
        try:
            relation.data[self._charm.app].update(values)
        except (ops.RelationDataError, ops.ModelError) as error:
            raise Waiting(waiting.NEW_LEADER()) from error
        self.shared = new


def _shared(data: Mapping[str, str]) -> Shared:
    address = data.get("address", "")
    return Shared(
        cluster_id=data.get("cluster-id", ""),
        address=address if is_ip(address) else "",
        ca=ca_bundle(data.get("ca", "")),
        serving=data.get("serving") == "true",
        relations=frozenset(data.get("relation", "").split()),
        inherited=data.get("inherited") == "true",
        region=data.get("region", ""),
        ended=ended(data.get("ended", "")),
    )


def ended(text: str) -> tuple[Ended, ...]:
    """Return the access that ended by its ``text``; nothing for a text of anybody else."""
    try:
        rows: Any = json.loads(text)
        return tuple(Ended(*map(str, row)) for row in rows)
    except (ValueError, TypeError, RecursionError):
        return ()
