"""What the reactive charm left, when this charm's first hooks run."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import ops
import pytest
from ops.storage import SQLiteStorage
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import SECRET
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from machine.files import Machine
from migration import reactive

CLUSTER_ID = "AbCdEfGhIjKlMnOpQrStUvWx"
TOOL = """#!/usr/bin/python3 -IS
import json, pathlib, sys
store = pathlib.Path({store!r})
kept = json.loads(store.read_text())
for pair in sys.argv[1:]:
    key, equals, value = pair.partition("=")
    if not pair.startswith("-") and equals:
        kept.pop(key, None)
        kept.update({{key: value}} if value else {{}})
store.write_text(json.dumps(kept))
keys = [word for word in sys.argv[1:] if not word.startswith("-")]
print(kept.get(keys[0], "") if keys else json.dumps(kept))
"""


class LeaderData:
    """What ``leader-get`` and ``leader-set`` work on."""

    def __init__(self, folder: Path) -> None:
        self._store = folder / "leader-data"
        for name in ("leader-get", "leader-set"):
            tool = folder / name
            tool.write_text(TOOL.format(store=str(self._store)))
            tool.chmod(0o755)

    @property
    def values(self) -> dict[str, str]:
        return json.loads(self._store.read_text())

    @values.setter
    def values(self, values: dict[str, str]) -> None:
        self._store.write_text(json.dumps(values))


@pytest.fixture
def leader_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LeaderData:
    """As the predecessor's leader had it."""
    data = LeaderData(tmp_path)
    certificate, key = root("former").issue(["aws-iam"])
    data.values = {
        "cluster_id": CLUSTER_ID,
        "cert": certificate,
        "key": key,
        "service_ip": "10.152.183.20",
    }
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return data


@pytest.fixture
def left(leader_data: LeaderData, api: FakeCluster, files: Files) -> Files:
    """All of it: leader data, files, and the Secret in the cluster."""
    for path in files.leftovers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(leader_data.values["key"])
        path.chmod(0o444)
    pair = {"cert.pem": leader_data.values["cert"], "key.pem": leader_data.values["key"]}
    data = {name: base64.b64encode(text.encode()).decode() for name, text in pair.items()}
    api.put(SECRET, {"data": data})
    return files


def test_given_no_peer_relation_yet_when_refreshed_then_its_files_alone_go(
    model: Model, left: Files, api: FakeCluster, leader_data: LeaderData
):
    before = leader_data.values
    model.peers_joined = False

    status = model.hook(model.on.upgrade_charm())

    assert not any(path.exists() for path in left.leftovers)
    assert status == ops.WaitingStatus("waiting for Juju to set up the peer relation")
    assert leader_data.values == before
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


def test_given_a_predecessors_request_when_a_unit_that_does_not_lead_is_refreshed_then_it_goes(
    model: Model, left: Files
):
    model.leader = None
    model.units[0].certificates = {"unit_name": "aws-iam_0", "common_name": "aws-iam"}

    model.hook(model.on.upgrade_charm())

    assert "common_name" not in model.units[0].certificates


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
    model: Model, left: Files, leader_data: LeaderData, tmp_path: Path
):
    tool = tmp_path / "leader-set"
    works = tool.read_text()
    tool.write_text("#!/bin/sh\nexit 1\n")
    model.settle()
    assert isinstance(model.hook(), ops.ActiveStatus)
    assert "key" in leader_data.values

    tool.write_text(works)
    model.settle()
    assert not {"cert", "key"} & set(leader_data.values)


KEY = root("former").issue(["aws-iam"])[1]
FORMER_KEY = root("former").issue(["aws-iam"])[1]
CHARMHELPERS = """
CREATE TABLE kv (key text, data text, primary key (key));
CREATE TABLE kv_revisions (key text, revision integer, data text, primary key (key, revision));
CREATE TABLE hooks (version integer primary key autoincrement, hook text, date text);
"""
SNAPSHOT = {"kept": "by ops"}


def lines(key: str) -> set[bytes]:
    """Return what each line of a key is in a file, also where its line ends are escaped."""
    return {line.encode() for line in key.splitlines() if "-----" not in line}


def remains(folder: Path, *keys: str) -> bool:
    """Return whether a line of a key is in a file of the folder."""
    contents = [path.read_bytes() for path in folder.iterdir()]
    return any(line in content for key in keys for line in lines(key) for content in contents)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A unit's database after ``juju refresh``: charmhelpers wrote it, then ops did.

    A former key stands in pages that charmhelpers no longer uses.
    """
    path = tmp_path / "charm" / ".unit-state.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.executescript(CHARMHELPERS)
        connection.execute("INSERT INTO hooks (hook, date) VALUES ('update-status', 'today')")
        former = [(f"former.{n}", json.dumps(FORMER_KEY)) for n in range(400)]
        connection.executemany("INSERT INTO kv VALUES (?, ?)", former)
        connection.execute("DELETE FROM kv")
        row = ("leadership.settings.key", json.dumps(KEY))
        connection.execute("INSERT INTO kv VALUES (?, ?)", row)
        connection.execute("INSERT INTO kv_revisions VALUES (?, 1, ?)", row)
    storage = SQLiteStorage(path)
    storage.save_snapshot("charm", SNAPSHOT)
    storage.save_notice("event", "observer", "method")
    storage.commit()
    storage.close()
    assert remains(path.parent, KEY)
    assert remains(path.parent, FORMER_KEY)
    return path


def test_given_a_predecessors_database_when_a_hook_starts_then_no_byte_of_a_key_is_left(
    database: Path,
):
    reactive.remove_state(database)

    assert not remains(database.parent, KEY, FORMER_KEY)
    assert [path.name for path in database.parent.iterdir()] == [database.name]
    assert database.stat().st_mode & 0o777 == 0o600


def test_given_a_predecessors_database_when_a_hook_starts_then_ops_finds_all_that_it_kept(
    database: Path,
):
    reactive.remove_state(database)

    with closing(sqlite3.connect(database)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    storage = SQLiteStorage(database)
    assert not tables & {"kv", "kv_revisions", "hooks"}
    assert storage.load_snapshot("charm") == SNAPSHOT
    assert list(storage.notices()) == [("event", "observer", "method")]
    storage.close()


def test_given_a_database_that_is_locked_when_a_hook_starts_then_a_later_one_erases_the_key(
    database: Path,
):
    storage = SQLiteStorage(database)
    storage.save_snapshot("charm", SNAPSHOT)
    reactive.remove_state(database)
    assert remains(database.parent, KEY)

    storage.close()
    reactive.remove_state(database)
    assert not remains(database.parent, KEY, FORMER_KEY)


def test_given_a_hook_that_was_killed_meanwhile_when_the_next_starts_then_it_erases_the_key(
    database: Path, monkeypatch: pytest.MonkeyPatch
):
    def killed() -> Iterator[str]:
        yield "kv"
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(reactive, "_TABLES", killed())
        with pytest.raises(KeyboardInterrupt):
            reactive.remove_state(database)
    assert remains(database.parent, KEY)

    reactive.remove_state(database)
    assert not remains(database.parent, KEY, FORMER_KEY)


def test_given_a_database_without_such_a_key_when_a_hook_starts_then_it_is_only_read(
    database: Path, monkeypatch: pytest.MonkeyPatch
):
    reactive.remove_state(database)
    before = database.stat()
    monkeypatch.setattr(sqlite3, "connect", None)

    reactive.remove_state(database)

    assert database.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("content", [None, b"leadership.settings.key, but no database"])
def test_given_no_database_when_a_hook_starts_then_none_is_made(
    tmp_path: Path, content: bytes | None
):
    path = tmp_path / ".unit-state.db"
    if content is not None:
        path.write_bytes(content)

    reactive.remove_state(path)

    assert (path.read_bytes() if path.exists() else None) == content


class TrustTools:
    """The machine's ``update-ca-certificates`` and ``openssl``, which only say that they ran."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "trust-tools"
        self.fail(code=0)

    def fail(self, *, code: int = 1) -> None:
        for name in ("update-ca-certificates", "openssl"):
            tool = self._log.parent / name
            tool.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._log}\nexit {code}\n')
            tool.chmod(0o755)

    def ran(self) -> list[str]:
        found = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return found


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrustTools:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return TrustTools(tmp_path)


def trust(machine: Machine, application: str = "aws-iam", mode: int = 0o440) -> Path:
    """Have the machine trust an authority as the reactive layers do, which choose this mode."""
    path = reactive.trusted_authority(machine, application)
    for folder in (path.parent, reactive.trust_store(machine)):
        folder.mkdir(parents=True, exist_ok=True)
    path.write_text("PEM")
    path.chmod(mode)
    link = reactive.trust_store(machine) / f"{application}.pem"
    link.symlink_to(path)
    link.with_name(f"{application}-hash.0").symlink_to(link.name)
    return path


def test_given_a_machine_that_trusts_the_old_authority_when_refreshed_then_it_no_longer_does(
    model: Model, files: Files, tools: TrustTools
):
    authority = trust(files.machine)
    bundle = reactive.trust_store(files.machine) / "ca-certificates.crt"
    bundle.touch()
    model.settle()

    assert list(authority.parent.iterdir()) == []
    assert list(reactive.trust_store(files.machine).iterdir()) == [bundle]
    assert tools.ran() == [
        "update-ca-certificates ",
        f"openssl rehash {reactive.trust_store(files.machine)}",
    ]
    assert isinstance(model.hook(), ops.ActiveStatus)
    assert tools.ran() == []


def test_given_an_update_of_trust_that_fails_when_hooks_run_then_each_tries_again(
    deployed: Model, files: Files, tools: TrustTools
):
    authority = trust(files.machine)
    tools.fail()

    for _ in range(2):
        assert isinstance(deployed.hook(), ops.ActiveStatus)
        assert tools.ran() == ["update-ca-certificates "]
        assert not authority.exists()

    tools.fail(code=0)
    deployed.hook()
    assert "update-ca-certificates " in tools.ran()
    assert list(authority.parent.iterdir()) == []


@pytest.mark.parametrize(("application", "mode"), [("aws-iam", 0o644), ("vault", 0o440)])
def test_given_an_authority_of_others_when_a_hook_runs_then_it_stays_trusted(
    deployed: Model, files: Files, tools: TrustTools, application: str, mode: int
):
    authority = trust(files.machine, application, mode)
    deployed.hook()

    assert authority.exists()
    assert len(list(reactive.trust_store(files.machine).iterdir())) == 2
    assert tools.ran() == []


def test_given_a_juju_that_does_not_answer_once_when_a_hook_runs_then_the_cluster_id_stays(
    left: Files, model: Model, tmp_path: Path
):
    tool = tmp_path / "leader-get"
    works = tool.read_text()
    tool.write_text("#!/bin/sh\necho 'ERROR connection is shut down' >&2\nexit 1\n")
    model.settle()
    assert "cluster-id" not in model.peer
    tool.write_text(works)

    model.settle()

    assert model.peer["cluster-id"] == CLUSTER_ID
