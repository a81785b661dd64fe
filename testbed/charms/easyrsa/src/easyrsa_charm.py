"""Stands in for easyrsa: a certificate authority over the real easy-rsa, for one unit.

As the original, it gives a request the same answer for ever, unless its names change. The two
events whose names begin with `testbed` are no hooks of Juju's: `testbedctl authority` sends them.
"""

from __future__ import annotations

from pathlib import Path

import ops

import hook_process
from backups import BackupError, Backups
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
    backups = Backups(Path("/home/ubuntu/easyrsa_backup"), owner="ubuntu")
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
        framework.observe(self.on["backup"].action, self._on_backup)
        framework.observe(self.on["restore"].action, self._on_restore)
        framework.observe(self.on["list-backups"].action, self._on_list_backups)
        framework.observe(self.on["delete-backup"].action, self._on_delete_backup)
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

    # the original's actions

    def _on_backup(self, event: ops.ActionEvent) -> None:
        archive = self.backups.make(self.authority.pki)
        event.set_results(
            {
                "command": f"juju scp {self.unit.name}:{archive} .",
                "message": "Backup archive created successfully. Use the juju scp "
                "command to copy it to your local machine.",
            }
        )

    def _on_restore(self, event: ops.ActionEvent) -> None:
        """Publish what the archive holds; it is not asked for which names it was made."""
        try:
            self.backups.restore(event.params["name"], self.authority.pki)
        except BackupError as error:
            event.fail(f"Action restore failed: {error}")
            return
        for relation in self.model.relations[_CLIENT]:
            publish_authority(relation, self.unit, self.authority.ca(), self.authority.client())
            answer(relation, self.unit, self._kept.handled, self._find_or_issue, again=True)

    def _find_or_issue(self, request: Request) -> Pair:
        if self.authority.has(request.common_name):
            return self.authority.pair(request.common_name)
        return self._issue(request)

    def _on_list_backups(self, event: ops.ActionEvent) -> None:
        lines = ["Available backup files:", *self.backups.names()]
        message = "\n".join(lines) if lines[1:] else "There are no available backup files."
        event.set_results({"message": message})

    def _on_delete_backup(self, event: ops.ActionEvent) -> None:
        if event.params.get("all"):
            self.backups.delete_all()
            return
        try:
            self.backups.delete(event.params.get("name", ""))
        except BackupError as error:
            event.fail(f"Action delete-backup failed: {error}")

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
