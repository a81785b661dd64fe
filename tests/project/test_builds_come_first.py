"""What the network gives comes before tests and labs begin.

A test has ten minutes, and Kubernetes may take longer to build; a lab has no network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a build begins with. Tests of the building itself stand in for the compiler.
BUILDS = re.compile(r"build\.programs\(|compile_module\(|\bgo build\b")
OF_THE_BUILDING = {"test_building.py", "test_programs_and_cache.py"}
# Each check's tests, and what fetches and builds what they run.
BUILT_FIRST = [
    ("conformance", "tests/conformance", "python -m testbed programs tests/conformance/arn"),
    ("conformance", "tests/conformance", "python -m tests.conformance.pythons"),
    ("testbed-tests", "charms/easyrsa/tests", "lab setup"),
    ("testbed-tests", "tests/system", "lab setup"),
    ("integration", "tests/integration", "with-tools --aws-cli true"),
]
# What a lab and the tests in it need.
OF_A_LAB = [
    "with-tools --aws-cli true",
    "with-tools python -m testbed setup",
    "with-tools python -m testbed programs",
    "with-tools python charm_store.py",
]
PROGRAMS = (
    *(("python", ""), ("pytest", ""), ("juju", ""), ("id", "echo 0")),
    *(("scripts/lab", ""), ("scripts/with-tools", "")),
)


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Return a file that gets each command that a script runs, in their order.

    The scripts are beside it, and call programs that do nothing.
    """
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "testbed" / "charms" / "easyrsa" / "tests").mkdir(parents=True)
    for name, answer in PROGRAMS:
        program = tmp_path / name
        script = f'echo "{program.name} $*" | sed "s| [^ ]*/scripts/| |" >>"{tmp_path}/calls"'
        program.write_text(f"#!/bin/sh\n{script}\n{answer}\n")
        program.chmod(0o755)
    return tmp_path / "calls"


def run(calls: Path, *command: str) -> list[str]:
    """Run a script, and return which commands it ran."""
    kept = {name: value for name, value in os.environ.items() if name != "TESTBED_JUJU"}
    environment = {**kept, "PATH": os.pathsep.join([str(calls.parent), kept["PATH"]])}
    subprocess.run(command, env=environment, cwd=calls.parent, check=True)
    return [call for call in calls.read_text().splitlines() if not call.startswith("id ")]


@pytest.mark.parametrize(("check", "tests", "build"), BUILT_FIRST)
def test_given_tests_that_run_a_program_then_their_check_builds_it_first(
    calls: Path, check: str, tests: str, build: str
):
    ran = run(calls, "scripts/check", check)

    [built] = [n for n, call in enumerate(ran) if call.startswith(build)]
    tested = [n for n, call in enumerate(ran) if "pytest " in call and tests in call]
    assert tested
    assert built < min(tested)


@pytest.mark.parametrize("command", ["setup", "up", "run -- true"])
def test_given_a_lab_to_open_then_all_that_it_needs_is_fetched_first(calls: Path, command: str):
    shutil.copy(ROOT / "scripts" / "lab", calls.parent / "scripts" / "lab")

    first, *ran = run(calls, "scripts/lab", *command.split())

    assert first == "with-tools true"
    assert ran[: len(OF_A_LAB)] == OF_A_LAB
    opened = [] if command == "setup" else [f"with-tools python -m testbed {command}"]
    assert ran[len(OF_A_LAB) :] == opened


def test_given_tools_that_a_test_runs_in_a_lab_then_they_are_fetched_for_it():
    tests = (ROOT / "tests" / "integration").rglob("*.py")
    options = {
        o for path in tests for o in re.findall(r'with-tools"\), "(--[a-z-]+)"', path.read_text())
    }

    assert options
    assert all(f"with-tools {option} true" in OF_A_LAB for option in options)


def test_given_make_test_then_what_labs_need_is_fetched_ahead_of_all_tests():
    recipe = (ROOT / "Makefile").read_text().partition("\ntest:")[2].partition("\n\n")[0]

    assert recipe.index("scripts/lab setup") < recipe.index("$(MAKE)")


def test_given_a_test_then_it_builds_no_program():
    tests = [
        path
        for folder in ("tests", "testbed/tests", "testbed/charms")
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__) and path.name not in OF_THE_BUILDING
    ]

    assert tests
    assert [path.name for path in tests if BUILDS.search(path.read_text())] == []
