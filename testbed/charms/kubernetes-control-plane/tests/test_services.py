"""What a unit of the control plane runs on its machine, and asks for it."""

from __future__ import annotations

import dataclasses

import ops
import pytest
from running import (
    APPS,
    FakeHost,
    Run,
    aws_iam,
    flags,
)

from control_plane_charm import ControlPlane


@pytest.mark.parametrize(
    ("channel", "version", "folder", "mode"),
    [
        ("1.28/stable", "1.28.15", "/programs/1.28", "iptables"),
        ("latest/stable", "1.37.2", "/programs", "nftables"),
        # As the page on the upgrade says. The lab has no 1.29.
        ("1.29/stable", "1.37.2", "/programs", "nftables"),
    ],
)
def test_on_install_the_programs_are_those_of_the_channel(
    run: Run, host: FakeHost, channel: str, version: str, folder: str, mode: str
) -> None:
    state = run(event="install", channel=channel)

    assert state.workload_version == version
    assert {str(host.path(f"/snap/{app}/current").readlink()) for app in APPS} == {folder}
    assert host.read("/var/lib/testbed/kube-proxy.yaml") == f"mode: {mode}\n"


def test_a_unit_keeps_the_programs_that_it_runs_until_it_is_told_to_upgrade(
    run: Run, host: FakeHost
) -> None:
    run(event="install", channel="1.28/stable")

    state = run(event="config_changed", channel="latest/stable")

    assert str(host.path("/snap/kube-apiserver/current").readlink()) == "/programs/1.28"
    said = "Needs manual upgrade, run the upgrade action."
    assert state.unit_status == ops.BlockedStatus(said)


def test_on_the_action_upgrade_the_programs_of_the_channel_run_the_api_server_first(
    run: Run, host: FakeHost
) -> None:
    run(event="install", channel="1.28/stable")
    host.commands.clear()

    state = run(event="upgrade", channel="latest/stable")

    assert {str(host.path(f"/snap/{app}/current").readlink()) for app in APPS} == {"/programs"}
    restarts = [f"restart snap.{app}.daemon.service" for app in APPS]
    assert host.commands[0] == restarts[0]
    assert set(host.commands) >= set(restarts)
    assert state.workload_version == "1.37.2"
    assert state.unit_status == ops.ActiveStatus("Kubernetes control-plane running.")


def test_a_track_that_the_lab_has_built_has_its_own_programs(run_new: Run, host: FakeHost) -> None:
    built = host.path("/programs/1.29/kube-apiserver")
    built.parent.mkdir()
    built.touch()

    run_new(event="install", channel="1.29/stable")

    assert str(host.path("/snap/kube-apiserver/current").readlink()) == "/programs/1.29"


def test_a_channel_without_programs_is_refused_and_nothing_is_started(
    run: Run, host: FakeHost
) -> None:
    state = run(event="install", channel="1.27/stable")

    assert state.unit_status == ops.BlockedStatus(
        "option channel: this lab has no Kubernetes in '1.27/stable': "
        "start it with another TESTBED_KUBERNETES"
    )
    assert host.commands == []


def test_the_authorization_mode_is_the_options(run: Run, host: FakeHost) -> None:
    run(event="install")
    assert flags(host)[:2] == ["--own=flag", "--authorization-mode=Node,RBAC"]

    run(event="config_changed", **{"authorization-mode": "AlwaysAllow"})
    assert flags(host)[:2] == ["--own=flag", "--authorization-mode=AlwaysAllow"]
    assert [flag for flag in flags(host)[2:] if "token-webhook" not in flag] == []
    assert host.restarts() == 2


def test_an_answer_of_the_webhook_holds_a_minute_unless_the_option_says_otherwise(
    run_new: Run, host: FakeHost
) -> None:
    run_new(event="install")
    assert "--authentication-token-webhook-cache-ttl=1m0s" in flags(host)

    extra = "authentication-token-webhook-cache-ttl=1s own=another anonymous-auth"
    run_new(event="config_changed", **{"api-extra-args": extra})

    assert [flag for flag in flags(host) if "cache-ttl" in flag] == [
        "--authentication-token-webhook-cache-ttl=1s"
    ]
    assert {"--own=another", "--anonymous-auth=true"} <= set(flags(host))
    assert host.restarts() == 2


def test_a_hook_without_a_change_restarts_nothing(run: Run, host: FakeHost) -> None:
    run(event="install")
    host.commands.clear()

    run()

    assert host.commands == ["kubectl get --raw=/readyz"]


def test_an_api_server_that_does_not_answer_is_waited_for_and_then_reported(
    run_old: Run, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services._READY_SECONDS", 0)
    monkeypatch.setattr("services._REGISTERED_SECONDS", 0)
    monkeypatch.setattr(ControlPlane, "host", dataclasses.replace(host, silent=True))

    state = run_old(aws_iam("false"), event="install")

    assert state.unit_status == ops.WaitingStatus("Waiting for the API server to answer")
    [relation] = state.relations
    assert relation.local_unit_data["api_server_state"] == "false"


def test_on_stop_the_node_leaves_its_cluster(run: Run, host: FakeHost) -> None:
    run(event="install")

    run(event="stop")

    assert host.running == set()
    assert "kubectl delete node node-0 --wait=false" in host.commands
