"""What the leader tells the other units, and what they acknowledge. Public data only."""

from __future__ import annotations

import dataclasses
import hashlib

import ops

RELATION = "peers"


@dataclasses.dataclass(frozen=True)
class Published:
    """The application databag: cluster id, ClusterIP of the Service, PEM bundle of the
    authorities to trust, whether the authenticator has served, and whether the predecessor's
    leader data is still to be removed."""

    cluster_id: str = ""
    address: str = ""
    ca: str = ""
    serving: bool = False
    inherited: bool = False


class Peers:
    """The peer relation. Without it (a unit's first moments, or its last) nothing is known
    and nothing is kept."""

    def __init__(self, charm: ops.CharmBase):
        self._model = charm.model
        self._relation = charm.model.get_relation(RELATION)

    @property
    def joined(self) -> bool:
        """Whether there is a place to keep what must not be lost."""
        return self._relation is not None

    @property
    def published(self) -> Published:
        """What the leader published last."""
        if not self._relation:
            return Published()
        data = self._relation.data[self._model.app]
        return Published(
            cluster_id=data.get("cluster-id", ""),
            address=data.get("address", ""),
            ca=data.get("ca", ""),
            serving=data.get("serving") == "true",
            inherited=data.get("inherited") == "true",
        )

    def publish(self, new: Published) -> bool:
        """Leader only: replace what is published. What is there already is not written.
        Whether anything was."""
        if not self._relation or new == self.published:
            return False
        self._relation.data[self._model.app].update(
            {
                "cluster-id": new.cluster_id,
                "address": new.address,
                "ca": new.ca,
                "serving": "true" if new.serving else "",
                "inherited": "true" if new.inherited else "",
            }
        )
        return True

    def acknowledge(self, ca: str) -> None:
        """Say that this unit's webhook file trusts the bundle ``ca``."""
        if not self._relation:
            return
        data = self._relation.data[self._model.unit]
        if data.get("trusts", "") != (new := fingerprint(ca)):
            data["trusts"] = new

    def missing(self, ca: str) -> list[str]:
        """Names of the units, this one included, that do not trust the bundle ``ca`` yet."""
        if not self._relation:
            return [self._model.unit.name]
        wanted = fingerprint(ca)
        return sorted(
            unit.name
            for unit in (self._model.unit, *self._relation.units)
            if self._relation.data[unit].get("trusts") != wanted
        )


def fingerprint(text: str) -> str:
    """A short name for ``text``; empty for the empty text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""
