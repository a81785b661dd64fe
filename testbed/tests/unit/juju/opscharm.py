"""A small packed charm that uses ops, with what most charms need of Juju."""

from __future__ import annotations

import sys
from pathlib import Path

import ops

from unit.juju.charms import pack

METADATA = """
name: tiny
peers: {friends: {interface: friends}}
"""
CONFIG = {"greeting": {"type": "string", "default": "hello"}}
ACTIONS = {
    "greet": {
        "description": "Greets somebody.",
        "params": {"name": {"type": "string"}, "fail": {"type": "boolean", "default": False}},
        "additionalProperties": False,
    }
}
CHARM = """
import ops


class Events(ops.CharmEvents):
    testbed_wave = ops.EventSource(ops.EventBase)


class TinyCharm(ops.CharmBase):
    on = Events()

    def __init__(self, framework):
        super().__init__(framework)
        framework.observe(self.on.config_changed, self._reconcile)
        framework.observe(self.on.greet_action, self._greet)
        framework.observe(self.on.remove, self._remove)
        framework.observe(self.on.testbed_wave, self._wave)

    def _reconcile(self, _):
        friends = self.model.get_relation("friends")
        if self.unit.is_leader():
            friends.data[self.app]["greeting"] = str(self.config["greeting"])
            self._keep({"password": f"for {self.config['greeting']}"})
        self.unit.set_workload_version("1.0")
        password = self.model.get_secret(label="password").peek_content()["password"]
        self.unit.status = ops.ActiveStatus(f"{friends.data[self.app]['greeting']} {password}")

    def _keep(self, content):
        try:
            self.model.get_secret(label="password").set_content(content)
        except ops.SecretNotFoundError:
            self.app.add_secret(content, label="password")

    def _greet(self, event):
        if event.params["fail"]:
            event.fail("told to fail")
            return
        event.set_results({"greeting": f"{self.config['greeting']} {event.params['name']}"})

    def _wave(self, _):
        friends = self.model.get_relation("friends")
        print(f"waved and said {friends.data[self.app]['greeting']}")

    def _remove(self, _):
        print(f"goodbye, {self.app.planned_units()} units stay")


if __name__ == "__main__":
    ops.main(TinyCharm)
"""
_DISPATCH = f"""#!/bin/sh
JUJU_DISPATCH_PATH="${{JUJU_DISPATCH_PATH:-$0}}" PYTHONPATH={Path(ops.__file__).parents[1]} \\
  exec {sys.executable} src/charm.py
"""


def pack_tiny(folder: Path) -> Path:
    """Pack the charm and return its path."""
    files = {"src/charm.py": CHARM, "dispatch": _DISPATCH}
    return pack(folder, METADATA, config=CONFIG, actions=ACTIONS, files=files)
