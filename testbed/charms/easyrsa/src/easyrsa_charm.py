"""Stands in for easyrsa: a certificate authority over the real easy-rsa, for one unit."""

from __future__ import annotations

from pathlib import Path

import ops

from easy_rsa import EasyRsa
from legacy_certificates import Authority, Pair, Request, answer

_CLIENT = "client"


class EasyRsaCharm(ops.CharmBase):
    """Answers whoever asks for certificates; there is no renewal but by action."""

    folder = Path("/var/lib")

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.authority = EasyRsa(self.folder / self.app.name / "pki")
        for event in (
            self.on.install,
            self.on.upgrade_charm,
            self.on[_CLIENT].relation_joined,
            self.on[_CLIENT].relation_changed,
        ):
            framework.observe(event, self._reconcile)
        framework.observe(self.on["reissue"].action, self._on_reissue)
        framework.observe(self.on["new-ca"].action, self._on_new_ca)

    def _reconcile(self, _: ops.EventBase) -> None:
        self._serve()

    def _on_reissue(self, _: ops.ActionEvent) -> None:
        self.authority.forget_pairs()
        self._serve()

    def _on_new_ca(self, _: ops.ActionEvent) -> None:
        self.authority.forget_all()
        self._serve()

    def _serve(self) -> None:
        self.authority.create(common_name=self._address())
        relations = self.model.relations[_CLIENT]
        for relation in relations:
            authority = Authority(self.authority.ca(), self.authority.client())
            answer(relation, self.unit, authority, self._issue)
        state = "connected" if relations else "ready"
        self.unit.status = ops.ActiveStatus(f"Certificate Authority {state}.")

    def _issue(self, request: Request) -> Pair:
        return self.authority.server(request.common_name, request.sans)

    def _address(self) -> str:
        binding = self.model.get_binding(_CLIENT)
        return str(binding.network.ingress_address) if binding else self.app.name


if __name__ == "__main__":
    ops.main(EasyRsaCharm)
