"""Bootstraps a real controller in a lab, and adds the machines that its units need.

It listens on `<state>/juju.sock`. A connection asks one question, a line of JSON:
`{"prepare": [argument…], "folder": …, "model": …}` is answered with `{"argv": [argument…]}`,
`{"ended": MODEL}` with `{}`, and what goes wrong with `{"error": …}`.
"""

from __future__ import annotations

import json
import os
import socketserver
from pathlib import Path
from typing import Any

from testbed.cluster.osrelease import os_release
from testbed.juju.controller.controller import DEFAULT_MODEL
from testbed.lab import Lab
from testbed.realjuju import controllercharm, machinefiles, preparing, programs, store
from testbed.realjuju.client import CONTROLLER_NAME, Client
from testbed.realjuju.commandline import parse
from testbed.realjuju.machines import Machines

_SSH_CONFIG = Path("/etc/ssh/ssh_config")
_OS_RELEASE = Path("/etc/os-release")


class Controller:
    """The lab's controller, as far as its machines go."""

    def __init__(self, lab: Lab, client: Client, machines: Machines) -> None:
        self._lab, self._client, self._machines = lab, client, machines

    def bootstrap(self) -> None:
        """Bootstrap the controller on a machine of its own. Raises JujuFailed or MachineFailed."""
        mongod = self._client.programs.mongod
        files = machinefiles.mongodb_files(mongod.read_bytes()) if mongod else {}
        cloud = "manual" if mongod else "unmanaged"  # one provider, which Juju 4 calls unmanaged
        machine = self._machines.start("controller", store.DEFAULT_BASE, files)
        charm = self._lab.state / "juju-controller.charm"
        controllercharm.write(charm)
        no_agents = self._lab.state / "agents-of-streams" / "tools"
        no_agents.mkdir(parents=True)  # so Juju takes the agent beside the client
        self._client.run(
            "bootstrap",
            f"{cloud}/root@{machine.address}",
            CONTROLLER_NAME,
            f"--controller-charm-path={charm}",
            f"--metadata-source={no_agents}",
            f"--model-default=default-base={store.DEFAULT_BASE}",
        )
        self._client.run("add-model", DEFAULT_MODEL)

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a question of the wrapper."""
        if "ended" in question:
            self._machines.end(question["ended"])
            return {}
        argv = question["prepare"]
        model = parse(argv).value("-m", "--model") or question["model"] or self._current_model()
        model = model.rpartition(":")[2].rpartition("/")[2]
        by = preparing.Preparation(
            store=self._lab.charm_store,
            scratch=self._lab.state / "bundles",
            add_machines=lambda count, base: self._machines.add(model, count, base),
            charm_of=lambda application: self._charm_of(model, application),
        )
        return {"argv": preparing.prepared(argv, Path(question["folder"]), by)}

    def _current_model(self) -> str:
        return str(self._client.json("models").get("current-model") or "")

    def _charm_of(self, model: str, application: str) -> str:
        found = self._client.json("status", "-m", model)["applications"].get(application, {})
        return str(found.get("charm-name") or found.get("charm") or application)


def serve(lab: Lab) -> None:
    """Bootstrap and answer, for as long as the lab lives. This does not return."""
    chosen = programs.chosen()
    assert chosen is not None
    client = Client(chosen, lab.client_home)
    keys = client.public_keys()
    _write_operators_etc(client)
    controller = Controller(lab, client, Machines(lab, client, machinefiles.machine_files(keys)))
    controller.bootstrap()
    address = str(lab.state / "juju.sock")
    with _Server(address, controller) as server:
        os.chmod(address, 0o600)
        server.serve_forever()


def _write_operators_etc(client: Client) -> None:
    """Have SSH reach every machine, and the client find itself on Ubuntu, as its agent is."""
    identity = next((client.data / "ssh").glob("*.pub")).with_suffix("")
    _SSH_CONFIG.parent.mkdir(exist_ok=True)
    _SSH_CONFIG.write_text(machinefiles.client_config(str(identity)))
    _OS_RELEASE.unlink(missing_ok=True)
    _OS_RELEASE.write_text(os_release(store.DEFAULT_BASE))


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, address: str, controller: Controller) -> None:
        super().__init__(address, _Handler)
        self.controller = controller


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        line = self.rfile.readline()
        if not line:  # somebody looks whether the lab is ready
            return
        try:
            answer = self.server.controller.answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 - the operator has to see it, whatever it is
            answer = {"error": str(error)}
        self.wfile.write(json.dumps(answer).encode() + b"\n")
