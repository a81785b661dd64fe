"""Stands in for easyrsa: a certificate authority over the real easy-rsa, for one unit.

As the original, it gives a request the same answer for ever, unless its names change. The two
events whose names begin with `testbed` are no hooks of Juju's: `testbedctl authority` sends them.
"""

from __future__ import annotations

from pathlib import Path

import ops

import hook_process
from easy_rsa import EasyRsa
from legacy_certificates import Pair, Request, answer, publish_authority

_CLIENT = "client"


class Events(ops.CharmEvents):
    """Juju's events, and those of the testbed."""

    testbed_reissue = ops.EventSource(ops.EventBase)
    testbed_new_authority = ops.EventSource(ops.EventBase)


class EasyRsaCharm(ops.CharmBase):
    """Answers whoever asks for certificates."""

    on = Events()
    folder = Path("EasyRSA")  # in the charm's own folder, as the original's
    _kept = ops.StoredState()

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self._kept.set_default(handled={})
        self.authority = EasyRsa(self.folder)
        for event in (
            self.on.install,
            self.on.upgrade_charm,
            self.on[_CLIENT].relation_joined,
            self.on[_CLIENT].relation_changed,
        ):
            framework.observe(event, self._reconcile)
        framework.observe(self.on.testbed_reissue, self._on_testbed_reissue)
        framework.observe(self.on.testbed_new_authority, self._on_testbed_new_authority)

    def _reconcile(self, _: ops.EventBase) -> None:
        self._serve()

    def _serve(self, *, again: bool = False) -> None:
        self.authority.create(common_name=self._address())
        relations = self.model.relations[_CLIENT]
        for relation in relations:
            publish_authority(relation, self.unit, self.authority.ca(), self.authority.client())
            answer(relation, self.unit, self._kept.handled, self._issue, again=again)
        state = "connected" if relations else "ready"
        self.unit.status = ops.ActiveStatus(f"Certificate Authority {state}.")

    def _issue(self, request: Request) -> Pair:
        if request.for_client:
            return self.authority.client(request.common_name)
        return self.authority.server(request.common_name, request.sans)

    def _address(self) -> str:
        binding = self.model.get_binding(_CLIENT)
        return str(binding.network.ingress_address) if binding else self.app.name

    # what testbedctl asks for

    def _on_testbed_reissue(self, _: ops.EventBase) -> None:
        self.authority.forget_pairs()
        self._serve(again=True)
        print("every certificate is issued again")

    def _on_testbed_new_authority(self, _: ops.EventBase) -> None:
        self.authority.forget_all()
        self._serve(again=True)
        print("a new authority has issued every certificate again")


if __name__ == "__main__":
    hook_process.run(EasyRsaCharm)
