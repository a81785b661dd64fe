"""What the imitation of the reactive charm leaves, as its original does."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
import yaml

import machine
import unit_state

CHARM = Path(__file__).parents[1]
SETTINGS = {"service_ip": "10.152.183.7", "cert": "CERT", "key": "KEY", "cluster_id": "id"}
ADDRESSES = dict.fromkeys(("egress-subnets", "ingress-address", "private-address"), "10.85.0.10")
API_SERVER = {"api_server_state": "true", "webhook_hash": '""', **ADDRESSES}
PAIR = {"aws-iam_0.server.cert": "CERT", "aws-iam_0.server.key": "KEY"}
AUTHORITY = {"ca": "CA", "client.cert": "C", "client.key": "K", **PAIR, **ADDRESSES}


@pytest.fixture(autouse=True)
def charm_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A charm's folder, which is where hooks run."""
    folder = tmp_path / "agent" / "charm"
    (folder / "wheelhouse").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def said() -> dict[tuple[str, str, str], str]:
    by_unit = {
        ("aws-iam:3", "kubernetes-control-plane/0"): API_SERVER,
        ("certificates:4", "easyrsa/0"): AUTHORITY,
    }
    return {(*unit, key): value for unit, bag in by_unit.items() for key, value in bag.items()}


def rows(query: str = "SELECT key, data FROM kv") -> dict[str, str]:
    with sqlite3.connect(".unit-state.db") as database:
        return dict(database.execute(query).fetchall())


def test_a_leaders_database_is_as_large_as_the_originals_and_holds_the_private_key() -> None:
    unit_state.keep(SETTINGS, said(), leader=True)

    kept = rows()
    assert len(kept) == 65
    assert kept["leadership.settings.key"] == '"KEY"'
    assert kept["reactive.states.charm.aws-iam.written-webhook"] == "null"
    assert kept["reactive.states.endpoint.aws-iam.available"] == "null"


def test_a_database_has_charmhelpers_tables_and_is_its_owners() -> None:
    unit_state.keep({}, {}, leader=False)

    tables = rows("SELECT name, type FROM sqlite_master WHERE type = 'table'")
    assert {"kv", "kv_revisions", "hooks"} <= set(tables)
    assert Path(".unit-state.db").stat().st_mode & 0o777 == 0o600


def test_the_next_hook_forgets_what_is_no_longer_so() -> None:
    unit_state.keep(SETTINGS, said(), leader=True)

    unit_state.keep({}, {}, leader=False)

    assert set(rows()) == {"reactive.dispatch.phase", "reactive.dispatch.removed_state"}


def test_the_first_hook_leaves_what_the_layers_leave(charm_folder: Path) -> None:
    machine.bootstrap()
    machine.keep_config({"image": "authenticator"})

    assert (charm_folder / "wheelhouse/.bootstrapped").exists()
    assert (charm_folder.parent / ".venv").is_dir()
    config = charm_folder / ".juju-persistent-config"
    assert json.loads(config.read_text()) == {"image": "authenticator"}
    assert config.stat().st_mode & 0o777 == 0o600


def test_a_new_authority_is_trusted_by_the_whole_machine_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "update-ca-certificates"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho ran >> {tmp_path}/ran\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    for authority in ("", "first", "first", "second"):
        machine.trust("aws-iam", authority, tmp_path / "authorities")

    assert (tmp_path / "ran").read_text() == "ran\nran\n"
    installed = tmp_path / "authorities" / "aws-iam.crt"
    assert installed.read_text() == "second"
    assert installed.stat().st_mode & 0o777 == 0o440


def test_the_definition_has_a_subresource_for_a_status_that_its_schema_drops() -> None:
    text = (CHARM / "src/templates/deployment.yaml").read_text()
    crd = next(iter(yaml.safe_load_all(text)))
    [version] = crd["spec"]["versions"]

    assert version["subresources"] == {"status": {}}
    assert "status" not in version["schema"]["openAPIV3Schema"]["properties"]
