"""No test is skipped where all that it needs is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.helpers import testbed_only

ROOT = Path(__file__).parents[2]
WITHOUT_ROOT = """\
import os, sys, pytest

os.geteuid = lambda: 1000
sys.exit(pytest.main(["--collect-only", "tests/system/test_breakage.py"]))
"""


def test_given_no_root_then_the_tests_of_labs_are_an_error_and_not_skipped():
    command = [sys.executable, "-c", WITHOUT_ROOT]
    ran = subprocess.run(
        command, cwd=ROOT / "testbed", capture_output=True, text=True, check=False
    )

    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "the testbed needs root; run: make testbed-tests" in ran.stderr


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Take every setting of the testbed away, and its commands."""
    for name in ("TESTBED_STATE", "TESTBED_CHARM_STORE", "TESTBED_JUJU"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    return monkeypatch


def test_given_another_controller_then_a_test_of_the_testbeds_own_is_skipped(
    environment: pytest.MonkeyPatch, tmp_path: Path
):
    with pytest.raises(pytest.skip.Exception, match="only here"):
        testbed_only.require("only here")

    for name in ("juju", "jujud", "jujuc"):
        (tmp_path / name).touch(mode=0o755)
    environment.setenv("TESTBED_STATE", "/run/aws-iam/testbed")
    environment.setenv("TESTBED_JUJU", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="only here"):
        testbed_only.require("only here")


def test_given_a_lab_then_a_test_that_it_is_there_for_fails_instead_of_being_skipped(
    environment: pytest.MonkeyPatch,
):
    environment.setenv("TESTBED_STATE", "/run/aws-iam/testbed")

    # A skip in a block that expects another exception would skip this test.
    either = (AssertionError, pytest.skip.Exception)
    with pytest.raises(either, match="testbedctl is missing"):
        testbed_only.require("only here")


def test_given_no_lab_then_tests_that_would_deploy_a_released_charm_are_an_error(
    environment: pytest.MonkeyPatch,
):
    command = [sys.executable, "-m", "pytest", "tests/integration/test_active.py"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "these tests would deploy Charmhub's aws-iam; run: make integration" in ran.stderr
