"""Stands in for vault (up to 1.8): an intermediate authority over the older protocol.

The units share one authority, through the peers' databag: here, that is as good a place as the
original's storage. As the original, the leader answers, in its own databag; what a former leader
has published stays there; and a new leader makes pairs of its own.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import ops

import legacy_certificates
import vault_pki
from legacy_certificates import Pair, Request, answer
from vault_pki import Authority

_CERTIFICATES = "certificates"
_PEERS = "cluster"
_AUTHORITY = "authority"


class Vault(ops.CharmBase):
    """One unit of the cluster."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        for event in (
            self.on.config_changed,
            self.on.leader_elected,
            self.on.update_status,
            self.on[_PEERS].relation_changed,
            self.on[_CERTIFICATES].relation_joined,
            self.on[_CERTIFICATES].relation_changed,
        ):
            framework.observe(event, self._reconcile)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)
        framework.observe(self.on["unseal"].action, self._on_unseal)
        framework.observe(self.on["reissue-certificates"].action, self._on_reissue)
        framework.observe(self.on["generate-root-ca"].action, self._on_generate_root_ca)

    def _reconcile(self, _: ops.EventBase) -> None:
        if not self.unit.is_leader():
            return
        if self._authority() is None and self.config["totally-unsecure-auto-unlock"]:
            self._make_authority()
        self._serve()

    def _on_unseal(self, event: ops.ActionEvent) -> None:
        if self._leads(event):
            if self._authority() is None:
                self._make_authority()
            self._serve()

    def _on_reissue(self, event: ops.ActionEvent) -> None:
        if self._leads(event) and self._is_unsealed(event):
            self._serve(anew=True)

    def _on_generate_root_ca(self, event: ops.ActionEvent) -> None:
        if self._leads(event) and self._is_unsealed(event):
            self._make_authority()
            self._serve(anew=True)

    def _leads(self, event: ops.ActionEvent) -> bool:
        if not self.unit.is_leader():
            event.fail(f"run this on the leader: juju run {self.app.name}/leader …")
        return self.unit.is_leader()

    def _is_unsealed(self, event: ops.ActionEvent) -> bool:
        if self._authority() is None:
            event.fail(f"Unit is sealed: juju run {self.app.name}/leader unseal")
        return self._authority() is not None

    def _serve(self, *, anew: bool = False) -> None:
        authority = self._authority()
        if authority is None:
            return
        for relation in self.model.relations[_CERTIFICATES]:
            mine = relation.data[self.unit]
            current = not anew and mine.get("ca") == authority.issuer
            self._answer(relation, authority, dict(mine) if current else {})

    def _answer(
        self, relation: ops.Relation, authority: Authority, published: dict[str, str]
    ) -> None:
        client = Pair(published.get("client.cert", ""), published.get("client.key", ""))
        if not client.certificate:
            client = vault_pki.issue(authority, "global-client")
        public = legacy_certificates.Authority(authority.issuer, client, authority.chain)

        def issue(request: Request) -> Pair:
            return _known(request, published) or vault_pki.issue(
                authority, request.common_name, request.sans
            )

        answer(relation, self.unit, public, issue)

    def _authority(self) -> Authority | None:
        peers = self.model.get_relation(_PEERS)
        stored = peers.data[self.app].get(_AUTHORITY) if peers else None
        return Authority(**json.loads(stored)) if stored else None

    def _make_authority(self) -> None:
        if peers := self.model.get_relation(_PEERS):
            authority = vault_pki.new_authority(self.app.name)
            peers.data[self.app][_AUTHORITY] = json.dumps(asdict(authority))

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        if self._authority() is None:
            event.add_status(ops.BlockedStatus("Unit is sealed"))
        else:
            leads = str(self.unit.is_leader()).lower()
            event.add_status(ops.ActiveStatus(f"Unit is ready (active: {leads}, mlock: disabled)"))


def _known(request: Request, published: dict[str, str]) -> Pair | None:
    """Return the pair that is published for a request, if it is for the names that it asks for."""
    batch = json.loads(published.get(f"{request.unit}.processed_requests", "{}"))
    reply = batch.get(request.common_name) or {
        "cert": published.get(f"{request.unit}.server.cert", ""),
        "key": published.get(f"{request.unit}.server.key", ""),
    }
    if reply["cert"] and vault_pki.is_for(reply["cert"], request.common_name, request.sans):
        return Pair(reply["cert"], reply["key"])
    return None


if __name__ == "__main__":
    ops.main(Vault)
