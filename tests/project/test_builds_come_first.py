"""Programs are built before tests begin: a test has ten minutes, Kubernetes may take longer."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a build begins with. Tests of the building itself stand in for the compiler.
BUILDS = re.compile(r"build\.programs\(|compile_module\(|\bgo build\b")
OF_THE_BUILDING = {"test_building.py", "test_programs_and_cache.py"}
# Each check's tests, and what builds what they run.
BUILT_FIRST = [
    ("conformance", (), "tests/conformance", "testbed programs tests/conformance/arn"),
    ("conformance", (), "tests/conformance", "tests.conformance.pythons"),
    ("testbed-tests", (), "tests/system", "testbed programs"),
    ("integration", ("--in-testbed",), "tests/integration", "tests.integration.helpers.earlier"),
    ("integration", (), "tests/integration", "tests.integration.helpers.earlier"),
]


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Return a file that gets each command that a check runs, in their order."""
    for name, answer in (("python", ""), ("pytest", ""), ("juju", ""), ("id", "echo 0")):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/calls"\n{answer}\n')
        program.chmod(0o755)
    return tmp_path / "calls"


@pytest.mark.parametrize(("check", "arguments", "tests", "build"), BUILT_FIRST)
def test_given_tests_that_run_a_program_then_their_check_builds_it_first(
    calls: Path, check: str, arguments: tuple[str, ...], tests: str, build: str
):
    kept = {name: value for name, value in os.environ.items() if name != "TESTBED_JUJU"}
    path = os.pathsep.join([str(calls.parent), kept["PATH"]])
    command = [ROOT / "scripts" / "check", check, *arguments]
    subprocess.run(command, env={**kept, "PATH": path}, check=True)

    ran = calls.read_text().splitlines()
    [built] = [n for n, call in enumerate(ran) if call.startswith(f"python -m {build}")]
    tested = [n for n, call in enumerate(ran) if call.startswith("pytest") and tests in call]
    assert tested
    assert built < min(tested)


def test_given_make_test_then_the_programs_of_every_cluster_are_built_ahead_of_all_tests():
    recipe = (ROOT / "Makefile").read_text().partition("\ntest:")[2].partition("\n\n")[0]

    assert recipe.index("testbed programs") < recipe.index("$(MAKE)")


def test_given_a_test_then_it_builds_no_program():
    tests = [
        path
        for folder in ("tests", "testbed/tests", "testbed/charms")
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__) and path.name not in OF_THE_BUILDING
    ]

    assert tests
    assert [path.name for path in tests if BUILDS.search(path.read_text())] == []
