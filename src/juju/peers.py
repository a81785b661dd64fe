# SPDX-License-Identifier: Apache-2.0

"""What the leader tells the other units, and what they acknowledge. Public data only."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection
from typing import Any

import ops

from access import expiry
from certificates import pem
from errors import Waiting
from related import RelatedCharm
from statuses import waiting
from text import fingerprint, is_ip

RELATION = "peers"
# In a unit's databag: its control-plane unit, and which CA bundle that trusts.
_PRINCIPAL, _TRUSTS = "principal", "trusts"


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
    # The access that the charm has ended within a day, the last of it at the end.
    ended: tuple[expiry.Ended, ...] = ()

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

    def __init__(self, charm: RelatedCharm):
        self._charm, self._app, self._unit = charm, charm.app, charm.unit
        # Not by ops' `Relation`, which asks for the units of each relation.
        self._id = next(iter(ops.hookcmds.relation_ids(RELATION)), "")
        self.is_readable = True  # Whether Juju reads the relation, if it lists one.
        self.shared = self._read()  # What the leader published last, or this hook has.

    @property
    def joined(self) -> bool:
        """Return whether there is a databag to keep what must not be lost."""
        return bool(self._id)

    @functools.cached_property
    def _relation(self) -> ops.Relation | None:
        return self._charm.model.get_relation(RELATION) if self._id else None

    @property
    def others(self) -> Collection[ops.Unit]:
        """Return the other units of this application, as far as they have joined."""
        return self._relation.units if self._relation else ()

    def change(self, **changes: Any) -> None:
        """Publish ``changes`` of fields of `Shared`, as `publish` does."""
        self.publish(dataclasses.replace(self.shared, **changes))

    def publish(self, new: Shared) -> None:
        """Make ``new`` what is published. Raise `errors.Waiting` if this unit no longer leads:
        only the leader may change it."""
        if new == self.shared or not self._relation:
            return
        values = {
            "cluster-id": new.cluster_id,
            "address": new.address,
            "ca": new.ca,
            "serving": "true" if new.serving else "",
            "relation": " ".join(sorted(new.relations)),
            "inherited": "true" if new.inherited else "",
            "ended": expiry.dump(new.ended),
        }
        try:
            self._relation.data[self._app].update(values)
        except (ops.RelationDataError, ops.ModelError) as error:
            raise Waiting(waiting.NEW_LEADER()) from error
        self.shared = new

    def acknowledge(self, ca: str) -> None:
        """Tell the leader that this unit's control plane trusts the bundle ``ca``."""
        self._tell_once(_TRUSTS, fingerprint(ca))

    def tell_principal(self, principal: str) -> None:
        """Tell the other units which control-plane unit this unit belongs to."""
        self._tell_once(_PRINCIPAL, principal)

    def _tell_once(self, key: str, new: str) -> None:
        if self._id:
            self._charm.write_once(f"{RELATION}:{key}", new, lambda: self._tell(key, new))

    def _tell(self, key: str, new: str) -> bool:
        """Write into this unit's databag, and return whether that had something else."""
        if not self._relation or self._relation.data[self._unit].get(key) == new:
            return False
        self._relation.data[self._unit][key] = new
        return True

    def principal_of(self, unit: str) -> str:
        """Return the control-plane unit of another ``unit``; empty if that has not told it."""
        others = {each.name: each for each in self.others}
        if not self._relation or unit not in others:
            return ""
        return self._relation.data[others[unit]].get(_PRINCIPAL, "")

    def units_not_trusting(self, ca: str) -> list[str]:
        """Return the units, this one included, that have not acknowledged the bundle ``ca``."""
        if not self._relation:
            return [self._unit.name]
        wanted = fingerprint(ca)
        return sorted(
            unit.name
            for unit in (self._unit, *self.others)
            if self._relation.data[unit].get(_TRUSTS) != wanted
        )

    def _read(self) -> Shared:
        if not self._id:
            return Shared()
        number = int(self._id.rpartition(":")[2])
        try:
            data = ops.hookcmds.relation_get(number, unit=self._app.name, app=True)
        except ops.hookcmds.Error as error:
            if "permission denied" not in error.stderr:
                raise
            # Juju 4 answers this to a unit that is out of the relation, and lists it all the same.
            self.is_readable, self._id = False, ""
            return Shared()
        return Shared(
            cluster_id=data.get("cluster-id", ""),
            address=address if is_ip(address := data.get("address", "")) else "",
            ca=pem.ca_bundle(data.get("ca", "")),
            serving=data.get("serving") == "true",
            relations=frozenset(data.get("relation", "").split()),
            inherited=data.get("inherited") == "true",
            ended=expiry.load(data.get("ended", "")),
        )
