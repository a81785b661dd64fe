"""Whatever a unit reads is damaged: a hook says so in one line, comes to rest, and recovers."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import ops
import ops.testing
import pytest
from hypothesis import given, settings
from tests.fakes import at_rest, damage
from tests.fakes.certificates.authority import root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import HOOK_TOOLS, Easyrsa, Model, Provider
from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.faults import answer
from tests.fakes.kubernetes.paths import ADDRESS, MAPPINGS, SETTLED
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import ADMIN_TOKEN, Files, kubeconfig, rendered

ARN = "arn:aws:iam::111122223333:role/dev"
URL = f"https://{ADDRESS}:443/authenticate"
DECLARED = f"- {{arn: '{ARN}', username: dev, groups: [view], access: [{{role: edit}}]}}\n"
# Hooks within which a unit comes to rest, or recovers.
ROUNDS = 6
# An example runs half a dozen hooks.
SOME = settings(max_examples=settings().max_examples // 15)
Damage = Callable[["Unit"], object]


class Unit:
    """A unit at rest, whose inputs a test damages and puts back."""

    def __init__(self, folder: Path, provider: Provider, endpoint: str) -> None:
        self.api, self.files = FakeCluster(Clock()), Files(folder)
        self.model = Model(provider, [self.files], endpoints=(endpoint,))
        self.endpoint = endpoint

    def hook(self) -> ops.StatusBase:
        self.api.forget()
        status = self.model.hook()
        assert isinstance(status, ops.ActiveStatus | ops.BlockedStatus | ops.WaitingStatus)
        assert status.message.isprintable()
        assert ADMIN_TOKEN not in status.message + self.model.log()
        return status

    def examine(self, hurt: Damage) -> None:
        """Check that hooks come to rest while there is damage, and recover once there is none."""
        bags = self.model._answer, self.model.peer, self.model.units[0].control_plane
        hurt(self)
        for _ in range(ROUNDS):
            before = self.model.bags()
            self.hook()
            if not self.api.changes and before == self.model.bags():
                break
        else:
            raise AssertionError(f"no rest: {self.api.changes}")
        self.api._faults.clear()
        for path in [path for path in self.api.objects if path.startswith(f"{MAPPINGS}/")]:
            self.api.delete(path)
        self.model._answer, self.model.peer, self.model.units[0].control_plane = bags
        self.model.config = {}
        self.write()
        for _ in range(ROUNDS):
            self.model.answer()
            if isinstance(self.hook(), ops.ActiveStatus):
                return
        raise AssertionError(f"no recovery: {self.model.units[0].status}")

    def write(self) -> None:
        """Put the machine's files where they belong."""
        for path in (self.files.admin, self.files.auth_webhook):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
        self.files.admin.write_text(kubeconfig())
        if self.endpoint == "control-plane":
            self.files.auth_webhook.write_text(rendered(URL))


@contextlib.contextmanager
def at_work(provider: Provider | None = None, endpoint: str = "aws-iam") -> Iterator[Unit]:
    """A unit at rest, for one example."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        unit = Unit(Path(folder), provider or Easyrsa(root()), endpoint)
        unit.api.install(patch)
        HOOK_TOOLS.install(patch)
        unit.write()
        at_rest.settle(unit.model, unit.api)
        yield unit


INTERFACE = {"api_server_state": "true", "webhook_status": "true"}
OPTIONS = {"image": "a/b:v0.7.18", "cluster-id": "prod", "partition": "aws", "mappings": DECLARED}
REFUSED = json.dumps({"kind": "Status", "message": "no", "reason": "Forbidden", "code": 403})
MAPPING = {"spec": {"arn": ARN, "username": "u", "groups": ["g"]}, "status": {"canonicalARN": ARN}}
Draw = Callable[[Any], Any]


def answer_of_the_older_protocol(unit: Unit, draw: Draw) -> None:
    _, good = unit.model._answer
    damaged = draw(damage.bag(good, lambda text: damage.pem(text) | damage.text(text)))
    unit.model._answer = ({}, damaged)


def answer_of_the_newer_protocol(unit: Unit, draw: Draw) -> None:
    good, _ = unit.model._answer
    unit.model._answer = (draw(damage.bag(good, damage.json_text)), {})


def bag_of_the_control_plane(unit: Unit, draw: Draw) -> None:
    unit.model.units[0].control_plane = draw(damage.bag(INTERFACE, damage.json_text))


def bag_of_the_peers(unit: Unit, draw: Draw) -> None:
    unit.model.peer = draw(damage.bag({**unit.model.peer, "inherited": "true"}, damage.pem))


def options(unit: Unit, draw: Draw) -> None:
    unit.model.config = draw(damage.bag(OPTIONS))


def admin_kubeconfig(unit: Unit, draw: Draw) -> None:
    unit.files.admin.write_text(draw(damage.text(kubeconfig())))


def program_of_the_control_plane(unit: Unit, draw: Draw) -> None:
    unit.files.auth_webhook.write_text(draw(damage.text(rendered(URL))))


def something_else_in_a_files_place(unit: Unit, draw: Draw) -> None:
    path: Path = getattr(unit.files, draw(st.sampled_from(["admin", "auth_webhook"])))
    path.unlink(missing_ok=True)
    kind = draw(st.sampled_from(["folder", "full", "nowhere"]))
    if kind == "nowhere":
        path.symlink_to("no-such-file")
        return
    path.mkdir()
    if kind == "full":
        (path / "x").touch()


def answer_of_something_else_than_kubernetes(unit: Unit, draw: Draw) -> None:
    code = draw(st.sampled_from((200, 200, 403, 404, 409, 422, 500)))
    # What answers in Kubernetes' own shape is Kubernetes.
    body = draw(damage.text(REFUSED))[: len(REFUSED) // 2].encode()
    kind = draw(st.sampled_from(("application/json", "text/html", None)))
    unit.api.fail(answer(code, body, kind), request=draw(st.sampled_from(SETTLED)))


def mappings(unit: Unit, draw: Draw) -> None:
    for number, each in enumerate(draw(st.lists(damage.value(MAPPING), min_size=1, max_size=3))):
        stored = each if isinstance(each, dict) else {}
        metadata = {"name": f"m{number}", "resourceVersion": "1"}
        unit.api.put(f"{MAPPINGS}/m{number}", {**stored, "metadata": metadata})


DAMAGES = [
    *(answer_of_the_older_protocol, answer_of_the_newer_protocol, bag_of_the_control_plane),
    *(bag_of_the_peers, options, admin_kubeconfig, program_of_the_control_plane),
    *(something_else_in_a_files_place, answer_of_something_else_than_kubernetes, mappings),
]


@pytest.mark.parametrize("hurt", DAMAGES, ids=lambda hurt: hurt.__name__)
@SOME
@given(st.data())
def test_given_a_damaged_input_then_hooks_say_so_and_recover(
    hurt: Callable[[Unit, Draw], None], data: st.DataObject
):
    provider = SelfSigned() if hurt is answer_of_the_newer_protocol else None
    endpoint = "control-plane" if hurt is program_of_the_control_plane else "aws-iam"
    with at_work(provider, endpoint) as unit:
        unit.examine(lambda unit: hurt(unit, data.draw))


PARAMETERS = {
    "grant-access": {"arn": ARN, "username": "bob", "groups": "view", "for": "30m"},
    "revoke-access": {"arn": ARN},
    "explain-access": {"arn": ARN},
    "plan-mappings": {"mappings": DECLARED},
    "get-kubeconfig": {"arn": ARN, "region": "eu-west-1", "context": "x", "server": "https://k:1"},
}


@SOME
@given(
    st.sampled_from(sorted(PARAMETERS)).flatmap(
        lambda name: damage.bag(PARAMETERS[name]).map(lambda params: (name, params))
    )
)
def test_given_damaged_parameters_when_an_action_runs_then_it_says_so_in_printable_lines(
    asked: tuple[str, dict[str, str]],
):
    name, params = asked
    # Juju demands these.
    needed = {
        key: PARAMETERS[name][key]
        for key in ("arn", "username", "mappings")
        if key in PARAMETERS[name]
    }
    with at_work() as unit:
        try:
            said = unit.model.action(name, 0, **{**needed, **params}).values()
        except ops.testing.ActionFailed as failure:
            said = [failure.message]
    for text in said:
        assert all(line.isprintable() for line in str(text).split("\n"))
