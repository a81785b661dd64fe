"""A unit at rest that is damaged, watched, repaired, and put back for the next input."""

from __future__ import annotations

import atexit
import base64
import contextlib
import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ops
import ops.testing
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from tests.fakes.at_rest import Deployment
from tests.fakes.juju.model import HOOK_TOOLS, Bag, Model, Provider
from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, kubeconfig
from tests.fuzz import samples
from tests.fuzz.functions.invariants import line, secretless
from tests.fuzz.runner import Violation, counts

import internal_errors
from certificates import pem
from text import is_ip

# Hooks within which a unit comes to rest, or recovers.
_ROUNDS = 6
_PLACE = re.compile(r"/((?:src|lib)/\S+\.py)\", line \d+, in (\w+)")
_SERVER = re.compile(r"https://(.+):443/authenticate")
# Without this, three quarters of a hook's time is the check of one RSA key.
_load_key = functools.lru_cache(serialization.load_pem_private_key)
_ADMIN = kubeconfig(
    ca=samples.AUTHORITY.certificate,
    user=f"token: {samples.TOKEN}, client-key-data: {samples.KUBECONFIG_KEY}",
)


class DamagedUnit:
    """A model with one unit on one machine, and the cluster behind it."""

    def __init__(self, provider: Provider, endpoint: str = "aws-iam") -> None:
        folder = tempfile.mkdtemp(prefix="fuzz-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self.api = FakeCluster(Clock())
        self.files = Files(Path(folder))
        self.files.admin.write_text(_ADMIN)
        self.files.client.write_text(_ADMIN)
        self.model = Model(provider, [self.files], endpoints=(endpoint,))
        # This unit looks for them itself, so that each has a name of its own.
        self.model.has_bugs = True
        with self.running():
            self._settle(endpoint)
        # The provider's answer, as it is when all is well: its application's bag and its unit's.
        self.answer: tuple[Bag, Bag] = self.model._answer
        unit = self.model.units[0]
        self._bags = (self.model.peer, unit.peer, unit.control_plane, self.answer)
        self._contents = {path: path.read_bytes() for path in self._paths() if path.exists()}
        self._rest = Deployment(self.model, self.api)
        # The newer protocol keeps its key in a secret of Juju's.
        contents = [secret.tracked_content for secret in self.model.secrets]
        keys = [text for content in contents for text in content.values() if "KEY" in text]
        self._secrets = (*samples.SECRETS, *map(samples.secret_of, keys))

    def _settle(self, endpoint: str) -> None:
        self.model.settle()
        if endpoint != "aws-iam":
            url = f"https://{samples.ADDRESS}:443/authenticate"
            self.files.auth_webhook.write_text(f"CUSTOM_AUTHN_ENDPOINT = '{url}'\n")
            self.model.settle()
        assert self.model.units[0].status.name == "active"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let time and HTTP be this unit's."""
        with pytest.MonkeyPatch.context() as patch:
            self.api.install(patch)
            patch.setattr(serialization, "load_pem_private_key", _load_key)
            HOOK_TOOLS.install(patch)
            yield

    def examine(
        self, damage: Callable[[DamagedUnit], object], event: str = "update_status"
    ) -> None:
        """Check everything that must hold while there is ``damage``, and after it."""
        with self.borrowed():
            damage(self)
            before = self._webhook()
            self.hook(event)
            self.come_to_rest(self.hook)
            self._check_webhook(before)
            self._repair()
            self._recover()

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[None]:
        """Let time and HTTP be this unit's, and put all back afterwards."""
        with self.running():
            try:
                yield
            finally:
                self._put_back()

    def action(self, name: str, /, **params: Any) -> dict[str, Any]:
        """Run an action, and check what it says. Raises `ops.testing.ActionFailed` as it does."""
        counts["hooks"] += 1
        self._forget()
        try:
            results = self.model.action(name, **params)
        except ops.testing.ActionFailed as failure:
            self._check_line(failure.message)
            raise
        finally:
            self._check_text(self.model.log())
            self._check_bugs()
        self._check_text(str(results))
        _check_arguments(results)
        return results

    def hook(self, event: str = "update_status") -> None:
        """Run a hook, and check what it says."""
        counts["hooks"] += 1
        self._forget()
        status = self.model.hook(self._event(event))
        endpoint, _, kind = event.partition(" ")
        if kind == "broken":
            # To Juju, a relation that is there again is a new one.
            known = self.model.units[0].known or frozenset()
            self.model.units[0].known = known - {self.model.relation(endpoint).id}
        if not isinstance(status, ops.ActiveStatus | ops.BlockedStatus | ops.WaitingStatus):
            raise Violation("another status", status)
        self._check_line(status.message)
        self._check_text(self.model.log())
        unit, model = self.model.units[0], self.model
        bags = (model.peer, model.certificates, unit.peer, unit.certificates, unit.webhook)
        self._check_text(str(bags))
        self._check_bugs()

    def _event(self, name: str) -> Any:
        endpoint, _, kind = name.partition(" ")
        if kind == "changed":
            return self.model.on.relation_changed(self.model.relation(endpoint), remote_unit=0)
        if kind == "broken":
            return self.model.broken(endpoint)
        return getattr(self.model.on, name)()

    def _forget(self) -> None:
        self.api.forget()
        context = self.model.units[0].context
        for said in (context.juju_log, context.emitted_events, context.unit_status_history):
            said.clear()

    # What must hold.

    def _check_line(self, text: str) -> None:
        line(text)
        self._check_text(text)

    def _check_text(self, text: str) -> None:
        secretless(text, self._secrets)

    def _check_bugs(self) -> None:
        for logged in self.model.units[0].context.juju_log:
            if logged.message.startswith(internal_errors.BEGINNING):
                kind, _, frames = logged.message.partition("\n")
                place = ":".join(_PLACE.findall(frames)[-1])
                raise Violation(f"{kind} {place}", logged.message)

    def come_to_rest(self, hook: Callable[[], object]) -> None:
        """Check that one of the next times, the same ``hook`` changes nothing."""
        for _ in range(_ROUNDS):
            before = self.model.bags(), self._webhook()
            hook()
            if not self.api.changes and before == (self.model.bags(), self._webhook()):
                return
        raise Violation("does not come to rest", self.api.changes)

    def _webhook(self) -> str:
        return self.files.webhook.read_text() if self.files.webhook.is_file() else ""

    def _check_webhook(self, before: str) -> None:
        text = self._webhook()
        if text in (before, ""):
            return
        cluster = yaml.load(text, yaml.CSafeLoader)["clusters"][0]["cluster"]
        server = _SERVER.fullmatch(cluster["server"])
        if not server or not is_ip(server[1].strip("[]")):
            raise Violation("the webhook's file has no address", cluster["server"])
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        if not pem.certificates(ca):
            raise Violation("the webhook's file has no CA", ca)

    def _recover(self) -> None:
        for _ in range(_ROUNDS):
            self.model.answer()
            self.hook()
            if isinstance(self.model.units[0].status, ops.ActiveStatus):
                return
        raise Violation("does not recover", self.model.units[0].status)

    # Between inputs.

    def _repair(self) -> None:
        """Undo the damage, and keep what the charm made of it."""
        model, unit = self.model, self.model.units[0]
        self.api._faults.clear()
        self.api.start_seconds = 2
        for path in [p for p in self.api.objects if "/iamidentitymappings/" in p]:
            self.api.delete(path)
        for path in self._paths():
            if path != self.files.webhook or path.is_dir():
                restore(path, self._contents.get(path))
        model.config, model.leader = {}, 0
        model.peer, unit.peer, unit.control_plane, model._answer = self._bags

    def _put_back(self) -> None:
        for path in self._paths():
            restore(path, None)
        self._rest.copy_into(self.model, self.api)

    def _paths(self) -> tuple[Path, ...]:
        files = self.files
        return files.admin, files.webhook, files.auth_webhook, files.client, *files.leftovers


def _check_arguments(results: dict[str, Any]) -> None:
    """Check that Linux runs a program with the arguments that `action-set` gets."""
    arguments = [f"{key}={value}" for key, value in results.items()]
    try:
        subprocess.run(["true", *arguments], check=True)
    except (OSError, ValueError) as error:
        raise Violation("results that Linux refuses as arguments", str(error)) from error


def restore(path: Path, content: bytes | None) -> None:
    """Let the file at ``path`` have ``content``, whatever is there; None for no file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)
