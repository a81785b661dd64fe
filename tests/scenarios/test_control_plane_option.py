"""Charmed Kubernetes >= 1.29: no relation to speak over, an option that only people can set."""

from __future__ import annotations

import ops
import pytest
from tests.fakes import at_rest
from tests.fakes.checking import COMMAND
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import answer
from tests.fakes.kubernetes.paths import ADDRESS
from tests.fakes.kubernetes.rbac import REVIEWS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered

from access import rbac

TO_RUN = ops.BlockedStatus(f"webhook not set; {COMMAND}")


@pytest.fixture
def newer(easyrsa: Easyrsa, api: FakeCluster, files: Files) -> Model:
    """At rest on such a control plane, whose operator has done nothing yet."""
    model = Model(easyrsa, [files], endpoints=("control-plane",))
    at_rest.settle(model, api)
    return model


def test_given_a_control_plane_with_a_name_of_its_own_then_commands_have_it(
    easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    renamed = Model(easyrsa, [files], endpoints=("control-plane",), principal="cp")
    renamed.settle()

    assert renamed.hook().message.startswith(
        "webhook not set; run: juju config cp authn-webhook-endpoint=https://"
    )
    api.fail(answer(201, b'{"spec": {}, "status": {"allowed": true}}'), request=f"POST {REVIEWS}")
    warning = renamed.action("list-mappings")["warning"]
    assert warning == rbac.open_to_all("", "cp")
    assert warning.endswith("run: juju config cp authorization-mode=RBAC,Node")


@pytest.mark.parametrize(
    "value",
    [
        f"https://{ADDRESS}9:443/authenticate",
        f"https://{ADDRESS}:443/authenticate/x",
        f"http://{ADDRESS}:443/authenticate",
        f" https://{ADDRESS}:443/authenticate",
        f"https://{ADDRESS}:443/authenticate ",
        "https://me:secret@login.example.com/check?token=secret#secret",
    ],
)
def test_given_another_webhook_in_the_option_when_a_hook_runs_then_its_url_stays_unsaid(
    newer: Model, files: Files, value: str
):
    files.auth_webhook.write_text(rendered(value))

    assert newer.hook() == ops.BlockedStatus(f"another webhook is set; if unused, {COMMAND}")


def test_given_a_rendered_webhook_that_is_no_text_when_a_hook_runs_then_the_command_is_said(
    newer: Model, files: Files
):
    files.auth_webhook.write_bytes(b"\xff\xfe")

    assert newer.hook() == TO_RUN


def test_given_pods_that_do_not_serve_when_a_hook_runs_then_nobody_is_sent_to_them(
    easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    api.start_seconds = None
    model = Model(easyrsa, [files], endpoints=("control-plane",))
    model.settle()

    assert model.hook().message == "waiting for the authenticator's pods, 0/2 updated pods ready"


def test_given_a_unit_that_does_not_lead_when_the_leader_serves_then_it_says_the_command_too(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files], monkeypatch: pytest.MonkeyPatch
):
    model = Model(easyrsa, machines, units=2, endpoints=("control-plane",))
    model.settle()
    monkeypatch.setattr("cluster.api.connect", None)
    assert model.hook(unit=1) == TO_RUN

    machines[1].auth_webhook.write_text(rendered(f"https://{ADDRESS}:443/authenticate"))
    assert model.hook(unit=1).name == "active"


def test_given_no_control_plane_when_a_hook_runs_then_the_command_that_brings_one_is_said(
    model: Model, api: FakeCluster
):
    model.endpoints = ()

    assert model.hook() == ops.BlockedStatus(
        "no control plane; run: juju integrate aws-iam:control-plane "
        "kubernetes-control-plane:juju-info"
    )
