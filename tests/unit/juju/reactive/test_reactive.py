"""What the reactive charm left, when this charm's first hooks run."""

from __future__ import annotations

import base64
import subprocess

import ops
import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import SECRET
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

CLUSTER_ID = "AbCdEfGhIjKlMnOpQrStUvWx"


class LeaderData(dict[str, str]):
    """What ``leader-get`` and ``leader-set`` work on, unless ``refuses`` names the one of them."""

    refuses = ""

    def run(self, command: list[str], **__: object) -> subprocess.CompletedProcess[str]:
        tool, *words = command
        if tool == self.refuses:
            raise subprocess.CalledProcessError(1, command)
        if tool == "leader-get":
            return subprocess.CompletedProcess(command, 0, self.get(words[0], "") + "\n")
        assert tool == "leader-set"
        for key, _, value in (word.partition("=") for word in words):
            self.pop(key, None)
            self.update({key: value} if value else {})
        return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def leader_data(monkeypatch: pytest.MonkeyPatch) -> LeaderData:
    """As the predecessor's leader had it."""
    certificate, key = root("former").issue(["aws-iam"])
    service = {"cluster_id": CLUSTER_ID, "service_ip": "10.152.183.20"}
    data = LeaderData(service, cert=certificate, key=key)
    monkeypatch.setattr("juju.reactive.subprocess.run", data.run)
    return data


@pytest.fixture
def left(leader_data: LeaderData, api: FakeCluster, files: Files) -> Files:
    """All of it: leader data, files, and the Secret in the cluster."""
    for path in files.leftovers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(leader_data["key"])
        path.chmod(0o444)
    pair = {"cert.pem": leader_data["cert"], "key.pem": leader_data["key"]}
    data = {name: base64.b64encode(text.encode()).decode() for name, text in pair.items()}
    api.put(SECRET, {"data": data})
    return files


def test_given_no_peer_relation_yet_when_refreshed_then_its_files_alone_go(
    model: Model, left: Files, api: FakeCluster, leader_data: LeaderData
):
    before = dict(leader_data)
    model.peers_joined = False

    status = model.hook(model.on.upgrade_charm())

    assert not any(path.exists() for path in left.leftovers)
    assert status == ops.WaitingStatus("waiting for Juju to set up the peer relation")
    assert leader_data == before
    assert api.seen == []
    assert model.units[0].webhook == {}


def test_given_a_predecessor_when_refreshed_then_its_pair_is_not_served_meanwhile(
    model: Model, left: Files, api: FakeCluster
):
    former = api.objects[SECRET]["data"]

    status = model.hook(model.on.relation_created(model.relation("peers")))

    assert status == ops.WaitingStatus("waiting for a certificate from easyrsa")
    assert api.objects[SECRET]["data"] == former
    assert not any("deployments" in change for change in api.changes)


def test_given_a_first_hook_that_was_lost_when_it_runs_again_then_the_cluster_id_stays(
    model: Model, left: Files
):
    # Killed before its end: what it did outside of Juju stays, the databags are as before.
    lost = dict(model.peer)
    model.hook(model.on.relation_created(model.relation("peers")))
    model.peer = lost
    model.settle()

    assert model.peer["cluster-id"] == CLUSTER_ID
    assert model.published()["cluster_id"] == CLUSTER_ID


def test_given_leader_data_that_juju_does_not_take_when_it_does_again_then_no_secret_is_left(
    model: Model, left: Files, leader_data: LeaderData
):
    leader_data.refuses = "leader-set"
    model.settle()
    assert isinstance(model.hook(), ops.ActiveStatus)
    assert "key" in leader_data

    leader_data.refuses = ""
    model.settle()
    assert leader_data == {}


def test_given_a_juju_that_does_not_answer_once_when_a_hook_runs_then_the_cluster_id_stays(
    model: Model, left: Files, leader_data: LeaderData
):
    leader_data.refuses = "leader-get"
    model.settle()
    assert "cluster-id" not in model.peer

    leader_data.refuses = ""
    model.settle()
    assert model.peer["cluster-id"] == CLUSTER_ID
