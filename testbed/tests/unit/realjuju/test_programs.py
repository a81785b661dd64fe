"""The folder of a real Juju that TESTBED_JUJU names."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed import handle
from testbed.juju.manner import VARIABLE
from testbed.paths import LabPaths
from testbed.realjuju import programs


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("value", ["", "3.6", "4.1"])
def test_a_version_names_no_folder(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert programs.chosen() is None


@pytest.mark.parametrize("agent", ["jujud", "jujuagentd"])
def test_a_folder_has_client_agent_and_jujuc(
    agent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(fill(tmp_path, "juju", agent, "jujuc")))
    found = programs.chosen()
    assert found is not None
    assert found.juju == tmp_path / "juju"
    assert found.mongod is None


def test_a_mongod_beside_them_is_that_of_juju_3_6(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(fill(tmp_path, "juju", "jujud", "jujuc", "mongod")))
    found = programs.chosen()
    assert found is not None
    assert found.mongod == tmp_path / "mongod"


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        (("jujuc", "jujud"), "no program juju in"),
        (("juju", "jujud"), "no program jujuc in"),
        (("juju", "jujuc"), "no program jujuagentd or jujud in"),
    ],
)
def test_a_folder_without_a_program_is_refused(
    present: tuple[str, ...], missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(fill(tmp_path, *present)))
    with pytest.raises(ValueError, match=missing):
        programs.chosen()


def test_the_operator_finds_the_real_juju_and_no_testbedctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(fill(tmp_path, "juju", "jujuagentd", "jujuc")))
    paths = LabPaths("lab")
    environment = handle.operator_environment(paths, Path("/programs"), {})
    folders = [Path(folder) for folder in environment["PATH"].split(":")]
    assert (folders[0] / "juju").read_text().startswith("#!/usr/bin/python3")
    assert folders[1] == tmp_path
    assert not any((folder / "testbedctl").exists() for folder in folders)
    assert environment["JUJU_DATA"].startswith(str(paths.client_home))
