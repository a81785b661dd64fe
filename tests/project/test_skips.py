"""A test that is skipped says so at the end, and none is where all that it needs is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.helpers import testbed_only

ROOT = Path(__file__).parents[2]
OUTCOMES = """\
import pytest

def test_skipped():
    pytest.skip("no such machine")

def test_failed():
    pytest.fail("wrong")
"""
WITHOUT_ROOT = """\
import os, sys, pytest

os.geteuid = lambda: 1000
sys.exit(pytest.main(["--collect-only", "tests/system/test_breakage.py"]))
"""


@pytest.mark.parametrize("folder", [ROOT, ROOT / "testbed"], ids=["charm", "testbed"])
def test_given_a_test_that_is_skipped_then_the_run_ends_with_its_reason(
    tmp_path: Path, folder: Path
):
    (tmp_path / "test_outcomes.py").write_text(OUTCOMES)
    options = ("--config-file", str(folder / "pyproject.toml"), "--rootdir", str(tmp_path))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-q",
        *options,
        "test_outcomes.py",
    ]

    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    _, _, summary = ran.stdout.partition("short test summary info")
    assert "SKIPPED [1] test_outcomes.py:4: no such machine" in summary
    assert "FAILED test_outcomes.py::test_failed" in summary


def test_given_no_root_then_the_tests_of_labs_are_an_error_and_not_skipped():
    command = [sys.executable, "-c", WITHOUT_ROOT]
    ran = subprocess.run(
        command, cwd=ROOT / "testbed", capture_output=True, text=True, check=False
    )

    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "the testbed needs root; run: make testbed-tests" in ran.stderr


def test_given_no_root_then_the_tests_of_labs_run_by_sudo(tmp_path: Path):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    shutil.copy(ROOT / "scripts/lab", scripts)
    for name, script in {
        "id": "echo 1000",
        "sudo": f'echo "sudo $*" >>{tmp_path}/calls',
        "scripts/with-tools": f'echo "with-tools $*" >>{tmp_path}/calls',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    subprocess.run(
        [scripts / "lab", "as-root", "pytest", "tests/system"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=True,
    )

    _, last = (tmp_path / "calls").read_text().splitlines()
    assert last == f"sudo --preserve-env {scripts}/with-tools pytest tests/system"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Take every setting of the testbed away, and its commands."""
    for name in ("TESTBED_STATE", "TESTBED_CHARM_STORE", "TESTBED_JUJU"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    return monkeypatch


def test_given_another_controller_then_a_test_of_the_testbeds_own_is_skipped(
    environment: pytest.MonkeyPatch,
):
    with pytest.raises(pytest.skip.Exception, match="only here"):
        testbed_only.require("only here")
    with pytest.raises(pytest.skip.Exception, match="only here"):
        testbed_only.require_lab("only here")


def test_given_a_lab_then_a_test_that_it_is_there_for_fails_instead_of_being_skipped(
    environment: pytest.MonkeyPatch,
):
    environment.setenv("TESTBED_STATE", "/run/aws-iam/testbed")

    # A skip in a block that expects another exception would skip this test.
    either = (AssertionError, pytest.skip.Exception)
    with pytest.raises(either, match="testbedctl is missing"):
        testbed_only.require("only here")
    with pytest.raises(either, match="TESTBED_CHARM_STORE is not set"):
        testbed_only.require_lab("only here")


def test_given_a_lab_with_a_real_juju_then_a_test_of_the_stand_in_is_skipped(
    environment: pytest.MonkeyPatch, tmp_path: Path
):
    for name in ("juju", "jujud", "jujuc"):
        (tmp_path / name).touch(mode=0o755)
    environment.setenv("TESTBED_STATE", "/run/aws-iam/testbed")
    environment.setenv("TESTBED_JUJU", str(tmp_path))

    with pytest.raises(pytest.skip.Exception, match="only here"):
        testbed_only.require("only here")
