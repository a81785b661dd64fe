"""A model with a real cluster and quick peers, in which aws-iam is deployed again and again.

Only the testbed has `testbedctl`, and the peer whose hooks take milliseconds.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jubilant
from lightkube import Client, KubeConfig
from lightkube.core.exceptions import ApiError
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.core_v1 import Pod, Service
from tests.integration.helpers.eventually import eventually
from tests.integration.kill import observed
from tests.integration.kill.points import ANSWER, CALL, Hook, Step, Wave

from testbed import testbedctl
from testbed.faults.client import Faults

PEER = "quick-peer/0"
NAME = "aws-iam-authenticator"
CRD = "iamidentitymappings.iamauthenticator.k8s.aws"
_SETTLE_SECONDS = 600
_NEVER = 1_000_000


@dataclass(frozen=True)
class Death:
    """A hook that died: at which of its calls or requests, and what that was."""

    hook: str
    number: int
    at: str

    def __str__(self) -> str:
        return f"{self.hook} at {self.at}"


@dataclass(frozen=True)
class Run:
    """What came of one step: which hooks died, what all hooks did, and what was there at the
    end."""

    deaths: Sequence[Death]
    step: Step
    end: dict[str, Any]
    seconds: float


class NotSettledError(Exception):
    """A step did not end by itself; the message shows Juju's status and log."""


@dataclass
class Site:
    """The model. Only one thread may use it at a time."""

    juju: jubilant.Juju
    faults: Faults
    units: int = 0
    _client: Client | None = field(default=None)

    @property
    def model(self) -> str:
        assert self.juju.model
        return self.juju.model

    @property
    def unit(self) -> str:
        """Return the unit of aws-iam, or the last one that there was."""
        return f"aws-iam/{self.units - 1}"

    @property
    def client(self) -> Client:
        assert self._client is not None
        return self._client

    def prepare(self) -> None:
        """Deploy the control plane and the peer, which stay."""
        self.juju.model_config({"update-status-hook-interval": "24h"})
        self.juju.deploy("kubernetes-control-plane", channel="1.28/stable")
        self.juju.deploy("quick-peer", to="0")
        self._settle()
        text = self.juju.exec("cat /root/.kube/config", unit=PEER).stdout
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "kubeconfig")
            path.write_text(text)
            self._client = Client(KubeConfig.from_file(path), trust_env=False)

    def close(self) -> None:
        if self._client:
            self._client.close()

    def deploy(self, waves: Sequence[Wave] = ()) -> Run:
        """Deploy aws-iam in a cluster without any trace of it."""
        self._delete_definition()
        self._end_pods()
        self.units += 1
        return self._run(self._deploy, waves)

    def change_authority(self, waves: Sequence[Wave] = ()) -> Run:
        """Replace the authority by another, and wait until nothing trusts the old one."""
        return self._run(self._change_authority, waves)

    def remove(self, waves: Sequence[Wave] = ()) -> Run:
        """Remove aws-iam from a control plane that no longer sends it logins.

        As long as it does, the Service stays, and when it ends that is chance. So it ends that
        first: then the same hook deletes the Service in each removal.
        """
        self.juju.run(PEER, "forget")
        return self._run(lambda: self.juju.remove_application("aws-iam"), waves)

    def discard(self) -> None:
        """Remove aws-iam and its traces without its hooks, whatever state it is in."""
        if "aws-iam" in self.juju.status().apps:
            self.juju.remove_application("aws-iam", force=True)
            self._settle()
        self.juju.exec("rm -f /root/cdk/aws-iam-webhook.yaml /root/cdk/.aws-iam*", unit=PEER)
        for kind, name, namespace in observed.objects(self.client):
            if kind is Service:
                free = {"metadata": {"finalizers": None}}
                self.client.patch(kind, name, free, namespace=namespace)
            self._delete(kind, name, **({"namespace": namespace} if namespace else {}))

    def _deploy(self) -> None:
        self.juju.deploy("aws-iam", config={"replicas": 1})
        self.juju.integrate("aws-iam:aws-iam", "quick-peer:aws-iam")
        self.juju.integrate("aws-iam:certificates", "quick-peer:client")

    def _change_authority(self) -> None:
        self.juju.run(PEER, "new-ca")
        self._settle()
        # In time, the old pods would end, and update-status would run.
        self._end_pods()
        testbedctl.run(self.model, "trigger", self.unit, "update-status")

    def _end_pods(self) -> None:
        """Delete the pods that are ending, without their grace period."""
        for pod in self.client.list(Pod, namespace="kube-system", labels={"k8s-app": NAME}):
            about = pod.metadata
            if about and about.name and about.deletionTimestamp:
                self._delete(Pod, about.name, namespace="kube-system", grace_period=0)

    def _run(self, step: Callable[[], object], waves: Sequence[Wave]) -> Run:
        before = len(self._hooks())
        self._arm(waves)
        began = time.monotonic()
        step()
        self._settle()
        self._await_alarm()
        seconds = time.monotonic() - began
        return Run(
            deaths=self._deaths(),
            step=Step(self._hooks()[before:]),
            end=observed.everything(self.juju, self.client, PEER, self.unit),
            seconds=seconds,
        )

    def _hooks(self) -> list[Hook]:
        """Return the hooks that the unit has run so far."""
        methods: dict[str, list[str]] = defaultdict(list)
        for request in self.faults.requests():
            if request.counted:
                methods[request.run].append(request.method)
        ran = testbedctl.hooks(self.model, self.unit)
        return [Hook(run["name"], run["tool_calls"], methods[run["id"]]) for run in ran]

    def _deaths(self) -> list[Death]:
        killed = json.loads(testbedctl.run(self.model, "killed", self.unit))["killed"]
        calls = [Death(death["hook"], death["call"], death["tool"]) for death in killed]
        return calls + [
            Death(request.hook, request.number, f"{request.method} {request.path.split('?')[0]}")
            for request in self.faults.fired()
        ]

    def _arm(self, waves: Sequence[Wave]) -> None:
        """Kill every hook at the first of ``waves``, its retry at the second, and so on."""
        numbers = [wave.number for wave in waves]
        what = waves[0].what if waves else ""
        calls = numbers if what == CALL else [_NEVER]
        at = ("--at-tool-call", ",".join(map(str, calls)))
        name = ("--hook", waves[0].hook) if waves and waves[0].hook else ()
        testbedctl.run(self.model, "kill-hook", "--unit", self.unit, *at, *name)
        if what == ANSWER:
            self.faults.kill(*numbers)
        else:
            self.faults.clear()

    def _await_alarm(self) -> None:
        """Wait until the unit no longer waits: its own alarm wakes it where pods take longer than
        a hook waits for them, as on a busy machine. To settle does not include an alarm."""

        def is_over() -> bool:
            self._settle()
            units = self.juju.status().get_units("aws-iam")
            return not any(unit.is_waiting for unit in units.values())

        try:
            eventually(is_over, "the end of the unit's wait", _SETTLE_SECONDS, interval=1.0)
        except AssertionError as error:
            raise NotSettledError(f"{error}\n{self._story()}") from error

    def _settle(self) -> None:
        try:
            testbedctl.settle(self.model, _SETTLE_SECONDS)
        except testbedctl.TestbedctlError as error:
            raise NotSettledError(f"{error}\n{self._story()}") from error

    def _story(self) -> str:
        return f"{self.juju.cli('status')}{self.juju.debug_log(limit=60)}"

    def _delete_definition(self) -> None:
        self._delete(CustomResourceDefinition, CRD)

        def gone() -> bool:
            return not any(observed.ours(self.client.list(CustomResourceDefinition)))

        eventually(gone, "the end of the old definition", _SETTLE_SECONDS, interval=0.05)

    def _delete(self, kind: Any, name: str, **options: Any) -> None:
        try:
            self.client.delete(kind, name, **options)
        except ApiError as error:
            if error.status.code != 404:
                raise
