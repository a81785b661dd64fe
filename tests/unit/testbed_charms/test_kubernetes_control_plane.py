"""The control plane of the testbed: what it is told, what it runs, what it tells."""

from __future__ import annotations

import dataclasses
import json
import runpy
from collections.abc import Callable
from pathlib import Path

import ops
import pytest
import yaml
from ops import testing

from control_plane_charm import ControlPlane
from host import Host

CHARM = Path(__file__).parents[3] / "testbed" / "charms" / "kubernetes-control-plane"
ADMIN = {
    "clusters": [{"name": "juju-cluster", "cluster": {"server": "https://10.85.0.10:6443"}}],
    "users": [{"name": "admin", "user": {}}],
    "contexts": [
        {"name": "juju-context", "context": {"cluster": "juju-cluster", "user": "admin"}}
    ],
    "current-context": "juju-context",
}
WEBHOOK_FILE = """
clusters:
- cluster:
    server: https://10.152.183.7:443/authenticate
    certificate-authority-data: YXV0aG9yaXR5
    tls-server-name: aws-iam-authenticator.kube-system.svc
"""
RENDERED = "root/cdk/auth-webhook/auth-webhook.py"
WEBHOOK_PATH = "root/cdk/aws-iam-webhook.yaml"
FORWARDER = "cdk.master.auth-webhook.service"
ARGS = "var/snap/kube-apiserver/current/args"
APPS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


@dataclasses.dataclass(frozen=True)
class FakeHost(Host):
    """A machine in a folder. Services run once they are started; `silent` ones never answer."""

    commands: list[str] = dataclasses.field(default_factory=list)
    running: set[str] = dataclasses.field(default_factory=set)
    silent: bool = False

    def systemctl(self, verb: str, service: str) -> bool:
        if verb == "is-active":
            return service in self.running
        self.commands.append(f"{verb} {service}")
        if verb == "stop":
            self.running.discard(service)
        else:
            self.running.add(service)
        return True

    def kubectl(self, *arguments: str) -> bool:
        self.commands.append(f"kubectl {' '.join(arguments)}")
        return not self.silent

    def output(self, *command: str) -> str:
        program, *_ = command
        folder = self.path(program).parent.readlink()
        return "Kubernetes v1.28.15\n" if folder.name == "1.28" else "Kubernetes v1.37.2\n"

    def write(self, name: str, text: str, owner: str = "") -> None:
        super().write(name, text)

    def restarts(self) -> int:
        return self.commands.count("restart snap.kube-apiserver.daemon.service")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    files = {
        "kube-proxy.yaml": "mode: nftables\n",
        "machine.env": "ADDRESS=10.85.0.10\nNODE_NAME=node-0\nPROGRAMS=/programs\n",
        "pki/admin.kubeconfig": yaml.safe_dump(ADMIN),
        **{f"args/{app}": "--authorization-mode=AlwaysAllow\n--own=flag\n" for app in APPS},
    }
    for name, text in files.items():
        path = tmp_path / "var/lib/testbed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for program in (*APPS, *(f"1.28/{app}" for app in APPS)):
        path = tmp_path / "programs" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    host = FakeHost(tmp_path)
    monkeypatch.setattr(ControlPlane, "host", host)
    return host


Run = Callable[..., testing.State]


@pytest.fixture(params=["1.28", "1.29"])
def run(request: pytest.FixtureRequest, host: FakeHost) -> Run:
    return _runner(request.param)


@pytest.fixture
def run_old(host: FakeHost) -> Run:
    return _runner("1.28")


@pytest.fixture
def run_new(host: FakeHost) -> Run:
    return _runner("1.29")


def _runner(track: str) -> Run:
    meta = yaml.safe_load((CHARM / track / "metadata.yaml").read_text())
    config = yaml.safe_load((CHARM / track / "config.yaml").read_text())
    context = testing.Context(ControlPlane, meta=meta, config=config)

    def run(
        *relations: testing.RelationBase, event: str = "update_status", **options: str | bool
    ) -> testing.State:
        state = testing.State(relations=relations, config=dict(options))
        return context.run(getattr(context.on, event)(), state)

    return run


def aws_iam(status: str = "true", cluster_id: str = '"id"') -> testing.SubordinateRelation:
    said = {"cluster_id": cluster_id, "webhook_status": status, "webhook_hash": '"h1"'}
    return testing.SubordinateRelation(
        "aws-iam", remote_app_name="aws-iam", remote_unit_data={**said}
    )


def write_webhook(host: FakeHost, text: str = WEBHOOK_FILE) -> None:
    host.write(f"/{WEBHOOK_PATH}", text)


def flags(host: FakeHost) -> list[str]:
    return (host.root / ARGS).read_text().splitlines()


def target(host: FakeHost) -> dict[str, str]:
    """Whom the forwarder asks."""
    ran = runpy.run_path(str(host.root / RENDERED))
    return {key: ran[key] for key in ("url", "server_name", "authorities")}


def client_config(host: FakeHost) -> dict[str, list[dict[str, str]]]:
    return yaml.safe_load((host.root / "home/ubuntu/config").read_text())


def names(items: list[dict[str, str]]) -> list[str]:
    return [item["name"] for item in items]


def test_on_install_every_service_starts_and_the_node_is_tainted(run: Run, host: FakeHost) -> None:
    state = run(event="install")

    assert host.running - {FORWARDER} == {f"snap.{app}.daemon.service" for app in APPS}
    kubelet = (host.root / "var/snap/kubelet/current/args").read_text()
    assert "--register-with-taints=node-role.kubernetes.io/control-plane=:NoSchedule" in kubelet
    assert state.unit_status == ops.ActiveStatus("Kubernetes control-plane running.")


@pytest.mark.parametrize(
    ("channel", "version", "folder", "mode"),
    [
        ("1.28/stable", "1.28.15", "/programs/1.28", "iptables"),
        ("latest/stable", "1.37.2", "/programs", "nftables"),
    ],
)
def test_on_install_the_programs_are_those_of_the_channel(
    run: Run, host: FakeHost, channel: str, version: str, folder: str, mode: str
) -> None:
    state = run(event="install", channel=channel)

    assert state.workload_version == version
    assert {str(host.path(f"/snap/{app}/current").readlink()) for app in APPS} == {folder}
    assert host.read("/var/lib/testbed/kube-proxy.yaml") == f"mode: {mode}\n"


def test_a_unit_keeps_the_programs_that_it_runs(run: Run, host: FakeHost) -> None:
    run(event="install", channel="1.28/stable")

    run(event="config_changed", channel="latest/stable")

    assert str(host.path("/snap/kube-apiserver/current").readlink()) == "/programs/1.28"


def test_a_channel_without_programs_is_refused_and_nothing_is_started(
    run: Run, host: FakeHost
) -> None:
    state = run(event="install", channel="1.27/stable")

    assert state.unit_status == ops.BlockedStatus("option channel: no Kubernetes in '1.27/stable'")
    assert host.commands == []


def test_the_authorization_mode_is_the_options(run: Run, host: FakeHost) -> None:
    run(event="install")
    assert flags(host)[:2] == ["--own=flag", "--authorization-mode=AlwaysAllow"]

    run(event="config_changed", **{"authorization-mode": "RBAC,Node"})
    assert flags(host)[:2] == ["--own=flag", "--authorization-mode=RBAC,Node"]
    assert [flag for flag in flags(host)[2:] if "token-webhook" not in flag] == []
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


def test_the_api_server_takes_the_whole_file_of_aws_iam(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)

    state = run_old(aws_iam())

    [file] = [
        flag for flag in flags(host) if flag.startswith("--authentication-token-webhook-con")
    ]
    assert (host.root / file.partition("=")[2].lstrip("/")).read_text() == WEBHOOK_FILE
    [relation] = state.relations
    assert relation.local_unit_data["api_server_state"] == "true"
    assert relation.local_unit_data["webhook_hash"] == '"h1"'


@pytest.mark.parametrize("caller", ["forwarder", "original"])
def test_the_forwarder_is_asked_by_an_api_server_that_no_file_restarts(
    run_old: Run, host: FakeHost, caller: str
) -> None:
    run_old(event="install", **{"webhook-caller": caller})
    write_webhook(host)
    run_old(aws_iam(), **{"webhook-caller": caller})

    [path] = [flag.partition("=")[2] for flag in flags(host) if "token-webhook-config" in flag]
    used = yaml.safe_load((host.root / path.lstrip("/")).read_text())["clusters"][0]["cluster"]
    assert used == {"server": "http://127.0.0.1:5000/"}
    assert FORWARDER in host.running
    assert host.restarts() == 1


def test_the_forwarder_goes_by_the_whole_file(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)

    state = run_old(aws_iam(), **{"webhook-caller": "forwarder"})

    assert target(host) == {
        "url": "https://10.152.183.7:443/authenticate",
        "server_name": "aws-iam-authenticator.kube-system.svc",
        "authorities": "authority",
    }
    [relation] = state.relations
    assert relation.local_unit_data["webhook_hash"] == '"h1"'


def test_a_file_without_a_server_name_is_about_the_urls_host(run_old: Run, host: FakeHost) -> None:
    name = "    tls-server-name: aws-iam-authenticator.kube-system.svc\n"
    assert name in WEBHOOK_FILE
    write_webhook(host, WEBHOOK_FILE.replace(name, ""))

    run_old(aws_iam(), **{"webhook-caller": "forwarder"})

    assert target(host) == {
        "url": "https://10.152.183.7:443/authenticate",
        "server_name": "",
        "authorities": "authority",
    }


def test_as_the_original_it_takes_the_url_alone_and_says_nothing_of_the_file(
    run_old: Run, host: FakeHost
) -> None:
    write_webhook(host, "clusters: [{cluster: {server: 'https://10.152.183.7/a'}}]\n")

    state = run_old(aws_iam(), **{"webhook-caller": "original"})

    assert target(host) == {
        "url": "https://10.152.183.7/a",
        "server_name": "",
        "authorities": "",
    }
    [relation] = state.relations
    assert "webhook_hash" not in relation.local_unit_data


def test_a_caller_that_there_is_not_is_refused(run_old: Run, host: FakeHost) -> None:
    state = run_old(**{"webhook-caller": "nobody"})

    assert state.unit_status == ops.BlockedStatus(
        "option webhook-caller: 'nobody' is none of kube-apiserver, forwarder, original"
    )
    assert host.commands == []


def test_a_changed_file_restarts_the_api_server_once(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)
    run_old(aws_iam())
    write_webhook(host, f"{WEBHOOK_FILE}# changed\n")

    run_old(aws_iam())
    run_old(aws_iam())

    assert host.restarts() == 2


def test_a_hook_that_died_before_the_restart_restarts_when_it_is_run_again(
    run_old: Run, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_old(event="install")

    def die(self: FakeHost, verb: str, service: str) -> bool:
        if verb == "restart":
            raise KeyboardInterrupt
        return True

    with monkeypatch.context() as dying:
        dying.setattr(FakeHost, "systemctl", die)
        with pytest.raises(KeyboardInterrupt):
            run_old(event="config_changed", **{"authorization-mode": "RBAC"})

    run_old(event="config_changed", **{"authorization-mode": "RBAC"})

    assert host.restarts() == 2


@pytest.mark.parametrize("text", ["clusters: []", "{", "clusters: [{cluster: {server: 5}}]"])
def test_a_file_that_is_not_what_it_should_be_fails_the_hook(
    run_old: Run, host: FakeHost, text: str
) -> None:
    write_webhook(host, text)

    with pytest.raises(testing.errors.UncaughtCharmError):
        run_old(aws_iam())


def test_without_a_serving_webhook_the_file_is_not_looked_at(run_old: Run, host: FakeHost) -> None:
    write_webhook(host, "{")

    run_old(aws_iam(status="false"))

    assert flags(host) == ["--own=flag", "--authorization-mode=AlwaysAllow"]


def test_when_aws_iam_withdraws_the_api_server_runs_without_it(
    run_old: Run, host: FakeHost
) -> None:
    write_webhook(host)
    run_old(aws_iam())

    run_old(aws_iam(status="false"))

    assert flags(host) == ["--own=flag", "--authorization-mode=AlwaysAllow"]
    assert not (host.root / "var/snap/kube-apiserver/current/webhook.yaml").exists()
    assert names(client_config(host)["users"]) == ["admin"]


def test_people_get_the_aws_user_with_the_cluster_id(run_old: Run, host: FakeHost) -> None:
    write_webhook(host)

    run_old(aws_iam(cluster_id='"prod"'))

    config = client_config(host)
    assert names(config["contexts"]) == ["juju-context", "aws-iam-authenticator"]
    user = config["users"][1]
    assert user["name"] == "aws-iam-user"
    assert "['token', '-i', 'prod', '-r', '<<insert_arn_here>>']" in str(user)
    assert (host.root / "home/ubuntu/config").stat().st_mode & 0o777 == 0o600


def test_the_newer_flavours_forwarder_asks_the_url_of_its_option(
    run_new: Run, host: FakeHost
) -> None:
    url = "https://10.152.183.7:443/authenticate"

    run_new(event="config_changed", **{"authn-webhook-endpoint": url})

    assert FORWARDER in host.running
    assert target(host) == {"url": url, "server_name": "", "authorities": ""}
    assert url in (host.root / RENDERED).read_text()
    assert names(client_config(host)["users"]) == ["admin"]


def test_the_newer_flavour_renders_no_url_when_the_option_is_cleared(
    run_new: Run, host: FakeHost
) -> None:
    run_new(event="config_changed", **{"authn-webhook-endpoint": "https://10.152.183.7/a"})

    run_new(event="config_changed")

    assert target(host)["url"] == ""
    assert "https" not in (host.root / RENDERED).read_text()
    assert host.restarts() == 1


def test_an_authority_is_asked_for_a_certificate(run: Run) -> None:
    state = run(testing.Relation("certificates"))

    [relation] = state.relations
    asked = relation.local_unit_data
    assert asked["common_name"] == "10.85.0.10"
    assert asked["unit_name"] == "kubernetes-control-plane_0"
    assert "10.85.0.10" in json.loads(asked["sans"])


def test_on_stop_the_node_leaves_its_cluster(run: Run, host: FakeHost) -> None:
    run(event="install")

    run(event="stop")

    assert host.running == set()
    assert "kubectl delete node node-0 --wait=false" in host.commands
