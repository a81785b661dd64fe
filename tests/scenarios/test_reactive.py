"""`juju refresh` from the reactive charm: what that left, when this charm's first hooks run."""

from __future__ import annotations

import base64
import copy
import subprocess

import httpx2
import ops
import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import unreachable
from tests.fakes.kubernetes.paths import DEFINITION, SECRET, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files
from tests.fakes.owners import FORMER, OWN, mark, marks

from owner import FINALIZER

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
def leader_data(api: FakeCluster, files: Files, monkeypatch: pytest.MonkeyPatch) -> LeaderData:
    """As the predecessor's leader had it, beside its files and the Secret in the cluster."""
    certificate, key = root("former").issue(["aws-iam"])
    service = {"cluster_id": CLUSTER_ID, "service_ip": "10.152.183.20"}
    data = LeaderData(service, cert=certificate, key=key)
    monkeypatch.setattr(subprocess, "run", data.run)
    for path in files.leftovers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key)
        path.chmod(0o444)
    stored = {"cert.pem": certificate, "key.pem": key}
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in stored.items()}
    api.put(SECRET, {"data": encoded})
    return data


def test_given_no_peer_relation_yet_when_refreshed_then_its_files_alone_go(
    model: Model, files: Files, api: FakeCluster, leader_data: LeaderData
):
    before = dict(leader_data)
    model.peers_joined = False

    status = model.hook(model.on.upgrade_charm())

    assert not any(path.exists() for path in files.leftovers)
    assert status == ops.WaitingStatus("waiting for Juju to set up the peer relation")
    assert (leader_data, api.seen, model.units[0].webhook) == (before, [], {})


def test_given_a_first_hook_that_was_lost_when_it_runs_again_then_the_cluster_id_alone_stays(
    model: Model, api: FakeCluster, leader_data: LeaderData
):
    # Killed before its end: what it did outside of Juju stays, the databags are as before.
    former, lost = api.objects[SECRET]["data"], dict(model.peer)
    status = model.hook(model.on.relation_created(model.relation("peers")))
    assert status == ops.WaitingStatus("waiting for a certificate from easyrsa")
    assert api.objects[SECRET]["data"] == former
    assert not any("deployments" in change for change in api.changes)
    model.peer = lost
    model.settle()

    assert model.peer["cluster-id"] == model.published()["cluster_id"] == CLUSTER_ID
    assert leader_data == {}


@pytest.mark.parametrize("tool", ["leader-get", "leader-set"])
def test_given_a_juju_that_does_not_answer_once_then_the_cluster_id_stays_and_no_secret(
    model: Model, leader_data: LeaderData, tool: str
):
    leader_data.refuses = tool
    model.settle()
    assert ("cluster-id" in model.peer) == (tool == "leader-set")
    assert "key" in leader_data

    leader_data.refuses = ""
    model.settle()
    assert model.peer["cluster-id"] == CLUSTER_ID
    assert leader_data == {}


# Objects of client-side apply: their fields become the charm's before it first applies them.


@pytest.fixture
def of_kubectl(deployed: Model, api: FakeCluster) -> set[str]:
    """The objects, refreshed from a charm whose objects are kubectl's."""
    for path in marks(api):
        api.objects[path]["metadata"]["managedFields"] = [copy.deepcopy(FORMER)]
        mark(api, path, None)
    del api.objects[SERVICE]["metadata"]["finalizers"]
    api.objects[DEFINITION]["metadata"]["managedFields"] = [copy.deepcopy(FORMER)]
    api.objects[DEFINITION]["spec"]["names"]["singular"] = "mapping"
    api.forget()
    return {*marks(api), DEFINITION}


def patches(api: FakeCluster, path: str) -> list[object]:
    """What an object's patches say of its field managers, which only an adoption names."""
    sent = [each for each in api.seen if (each.method, each.path) == ("PATCH", path)]
    return [each.body["metadata"].get("managedFields") for each in sent]


ADOPTION = [{**OWN, "fieldsV1": FORMER["fieldsV1"]}]


def test_given_objects_of_kubectl_when_hooks_run_then_each_is_adopted_and_then_applied_once(
    deployed: Model, api: FakeCluster, of_kubectl: set[str]
):
    assert deployed.hook().name == "active"

    for path in of_kubectl - {SERVICE}:
        assert patches(api, path) == [ADOPTION, None]
    assert patches(api, SERVICE)[0] == ADOPTION
    for path in of_kubectl:
        [entry] = api.objects[path]["metadata"]["managedFields"]
        assert (entry["manager"], entry["operation"]) == ("aws-iam", "Apply")
    assert api.objects[SERVICE]["metadata"]["finalizers"] == [FINALIZER]

    api.forget()
    deployed.hook()
    assert api.changes == []


@pytest.mark.parametrize("nth", range(1, 25))
def test_given_a_hook_that_dies_on_the_way_when_the_next_runs_then_all_is_adopted_first(
    deployed: Model, api: FakeCluster, of_kubectl: set[str], nth: int
):
    api.fail(unreachable(httpx2.ReadTimeout), nth=nth)
    deployed.hook()
    api.recover()
    deployed.hook()

    assert deployed.hook().name == "active"
    assert all(patches(api, path)[0] == ADOPTION for path in of_kubectl)
