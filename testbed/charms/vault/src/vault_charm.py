"""Stands in for the reactive vault charm, up to 1.7: an authority over the older protocol.

There is no Vault. `testbedctl authority vault unseal` is what an operator does with Vault's own
client: initialise it, unseal every unit, and make a token. All else is the original's: the
units share one authority, through the peers' databag, which is here as good a place as Vault's
storage. The leader answers, in its own databag; what a former leader has published stays there;
and each leader makes pairs of its own. (1.8 shares the answers among its units, too.)
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict

import ops

import hook_process
import vault_pki
from legacy_certificates import Pair, Request, answer, publish_authority
from vault_pki import Authority
from vault_store import Store

_CERTIFICATES = "certificates"
_PEERS = "cluster"
_NOT_LEADER = "Please run action on lead unit"
_FORCE = (
    "This action will invalidate this intermediate CA chain until the signed csr is uploaded. "
    "During this time no new certificate requests will be processed. If you are sure you want to "
    "go ahead with this then please run the action with force=True"
)


class Events(ops.CharmEvents):
    """Juju's events, and the testbed's."""

    testbed_unseal = ops.EventSource(ops.EventBase)


class Vault(ops.CharmBase):
    """One unit of the cluster."""

    on = Events()
    _kept = ops.StoredState()

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self._kept.set_default(handled={}, client="", reissue=False, generated=False)
        self._store = Store(self.model.get_relation(_PEERS), self.app)
        for event in (
            self.on.config_changed,
            self.on.leader_elected,
            self.on[_PEERS].relation_changed,
            self.on[_CERTIFICATES].relation_joined,
            self.on[_CERTIFICATES].relation_changed,
        ):
            framework.observe(event, self._reconcile)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)
        actions = {
            "authorize-charm": self._on_authorize_charm,
            "generate-root-ca": self._on_generate_root_ca,
            "regenerate-intermediate-ca": self._on_regenerate_intermediate_ca,
            "upload-signed-csr": self._on_upload_signed_csr,
            "disable-pki": self._on_disable_pki,
            "reissue-certificates": self._on_reissue_certificates,
        }
        for name, handler in actions.items():
            framework.observe(self.on[name].action, handler)
        framework.observe(self.on.testbed_unseal, self._on_testbed_unseal)

    # from sealed to authorized

    def _on_testbed_unseal(self, _: ops.EventBase) -> None:
        """Do the operator's part, and print the token that authorizes the charm."""
        print(self._store.unseal())

    def _on_authorize_charm(self, event: ops.ActionEvent) -> None:
        if not self._leads(event):
            return
        if not self._store.token or event.params["token"] != self._store.token:
            event.fail("permission denied" if self._store.token else "Vault is sealed")
            return
        self._store.authorize()
        self._serve()

    # the authority

    def _on_generate_root_ca(self, event: ops.ActionEvent) -> None:
        if not self._is_ready(event):
            return
        if self._store.authority is not None:
            event.fail("PKI CA already configured")
            return
        self._generate_root()
        event.set_results({"output": self._store.root})
        self._serve()

    def _generate_root(self) -> None:
        authority = vault_pki.generate_root()
        self._store.keep(authority, root=authority.certificate)
        self._kept.reissue = True

    def _on_regenerate_intermediate_ca(self, event: ops.ActionEvent) -> None:
        if not self._is_ready(event):
            return
        if self._store.authority is not None and not event.params.get("force"):
            event.fail(_FORCE)
            return
        pki, csr = vault_pki.generate_intermediate(event.params.get("common-name", ""))
        self._store.keep(pki, root="")
        event.set_results({"output": csr})

    def _on_upload_signed_csr(self, event: ops.ActionEvent) -> None:
        if not self._is_ready(event):
            return
        pki = self._store.pki
        if pki is None:
            event.fail("could not find any existing entry with a private key")
            return
        pem, root = (_decoded(event.params.get(name, "")) for name in ("pem", "root-ca"))
        try:
            signed = vault_pki.set_signed(pki, pem)
        except ValueError as error:
            event.fail(f"verification of parsed bundle failed: {error}")
            return
        self._store.keep(signed, root=root or self._store.root)
        self._kept.reissue = True
        self._serve()

    def _on_disable_pki(self, event: ops.ActionEvent) -> None:
        if self._is_ready(event):
            self._store.keep(None, root="")

    def _on_reissue_certificates(self, _: ops.ActionEvent) -> None:
        """Have it done, by this unit: at once, or when it leads."""
        self._kept.reissue = True
        self._serve()

    def _leads(self, event: ops.ActionEvent) -> bool:
        if not self.unit.is_leader():
            event.fail(_NOT_LEADER)
        return self.unit.is_leader()

    def _is_ready(self, event: ops.ActionEvent) -> bool:
        if not self._leads(event):
            return False
        if not self._store.authorized:
            event.fail("Vault is not ready (Cannot initialise local client)")
        return self._store.authorized

    # answers

    def _reconcile(self, _: ops.EventBase) -> None:
        self._serve()

    def _serve(self) -> None:
        if not self.unit.is_leader() or not self._store.authorized:
            return
        if self.config["auto-generate-root-ca-cert"] and not self._kept.generated:
            self._kept.generated = True
            if self._store.authority is None:
                self._generate_root()
        authority = self._store.authority
        if authority is None:
            return
        again, self._kept.reissue = bool(self._kept.reissue), False
        client = self._client(authority, again=again)

        def issue(request: Request) -> Pair:
            return vault_pki.issue(authority, request.common_name, request.sans)

        for relation in self.model.relations[_CERTIFICATES]:
            publish_authority(relation, self.unit, self._store.root, client, authority.chain)
            answer(relation, self.unit, self._kept.handled, issue, again=again)

    def _client(self, authority: Authority, *, again: bool) -> Pair:
        """Return the pair that this unit gives all clients."""
        if again or not self._kept.client:
            pair = vault_pki.issue(authority, "global-client")
            self._kept.client = json.dumps(asdict(pair))
        return Pair(**json.loads(str(self._kept.client)))

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        event.add_status(self._status())

    def _status(self) -> ops.StatusBase:
        leads = self.unit.is_leader()
        if not self._store.token:
            return ops.BlockedStatus("Vault needs to be initialized")
        if not self._store.authorized:
            message = "Vault charm not yet authorized: run authorize-charm action."
            return ops.BlockedStatus(message)
        if leads and self.model.relations[_CERTIFICATES] and self._store.authority is None:
            return ops.BlockedStatus("Missing CA cert")
        return ops.ActiveStatus(f"Unit is ready (active: {str(leads).lower()}, mlock: disabled)")


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


if __name__ == "__main__":
    hook_process.run(Vault)
