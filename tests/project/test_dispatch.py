"""`dispatch` starts the charm on each Python that it has packages for, and on no other."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.10", "3.12", "3.14")
STARTED = (
    "python3 src/charm.py PYTHONPATH=src:lib:venv/python{}:venv JUJU_DISPATCH_PATH=hooks/start"
)
PRINCIPAL = "kubernetes-control-plane"
MOVE = f"replace {PRINCIPAL}/0 with a unit on Ubuntu 22.04 or newer"


@dataclass(frozen=True)
class Unit:
    """A unit's charm folder, with stand-ins for python3 and for the hook tools on its PATH."""

    charm: Path
    tools: Path

    def install_python(self, version: str, *, link: bool = True) -> None:
        """Install a Python as Ubuntu does, or as a file that is no link."""
        started = "python3 $* PYTHONPATH=$PYTHONPATH JUJU_DISPATCH_PATH=$JUJU_DISPATCH_PATH"
        text = f'case $1 in -c) echo {version} ;; *) echo "{started}" ;; esac\n'
        text = f'echo "$1" >>{self.charm}/starts\n{text}'
        self._script(f"python{version}" if link else "python3", text)
        if link:
            (self.tools / "python3").symlink_to(f"python{version}")

    def add_hook_tools(self) -> None:
        for tool in ("status-set", "action-fail"):
            self._script(tool, f'echo "{tool} $*"\n')

    def _script(self, name: str, text: str) -> None:
        (self.tools / name).write_text("#!/bin/sh\n" + text)
        (self.tools / name).chmod(0o755)

    def dispatch(self, path: str = "hooks/start", **more: str) -> Sequence[str]:
        """Return what ran, by line. Fails if `dispatch` does not end well."""
        done = subprocess.run(
            [self.charm / "dispatch"],
            cwd=self.charm,
            env={
                "PATH": str(self.tools),
                "JUJU_DISPATCH_PATH": path,
                "JUJU_UNIT_NAME": "aws-iam/0",
                "JUJU_PRINCIPAL_UNIT": f"{PRINCIPAL}/0",
                **more,
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    charm, tools = tmp_path / "charm", tmp_path / "bin"
    for folder in (charm / "src", charm / "venv", tools):
        folder.mkdir(parents=True)
    shutil.copy2(ROOT / "dispatch", charm)
    shutil.copy2(ROOT / "src" / "check-python.sh", charm / "src")
    (charm / "venv" / "pythons").write_text(" ".join(PYTHONS) + "\n")
    made = Unit(charm, tools)
    made.add_hook_tools()
    return made


@pytest.mark.parametrize("version", PYTHONS)
def test_given_a_python_with_packages_then_the_charm_runs_and_python_starts_once(
    unit: Unit, version: str
):
    unit.install_python(version)

    assert unit.dispatch() == [STARTED.format(version)]
    assert (unit.charm / "starts").read_text() == "src/charm.py\n"


def test_given_a_python3_that_is_no_link_then_its_own_word_counts(unit: Unit):
    unit.install_python("3.12", link=False)

    assert unit.dispatch() == [STARTED.format("3.12")]


@pytest.mark.parametrize("link", [True, False])
@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_given_a_python_without_packages_then_the_unit_is_blocked_with_the_way_to_another_base(
    unit: Unit, version: str, link: bool
):
    unit.install_python(version, link=link)

    assert unit.dispatch() == [f"status-set blocked no packages for Python {version}; {MOVE}"]


def test_given_a_python_of_the_future_then_the_unit_is_blocked_with_juju_refresh(unit: Unit):
    unit.install_python("3.15")

    [line] = unit.dispatch()

    assert line.startswith("status-set blocked no packages for Python 3.15; run: ")
    assert line.endswith("run: juju refresh aws-iam")


def test_given_no_python_then_the_unit_is_blocked_with_the_command_that_installs_it(unit: Unit):
    [line] = unit.dispatch()

    assert line.startswith("status-set blocked no python3; run: ")
    assert line.endswith("run: juju exec --unit aws-iam/0 -- apt-get install -y python3")


def test_given_a_python_without_packages_when_an_action_runs_then_it_fails_with_the_remedy(
    unit: Unit,
):
    unit.install_python("3.8")

    ran = unit.dispatch("actions/get-kubeconfig", JUJU_ACTION_NAME="get-kubeconfig")

    assert ran == [f"action-fail no packages for Python 3.8; {MOVE}"]


def test_given_a_unit_that_juju_names_no_principal_of_then_the_remedy_names_the_usual_one(
    unit: Unit,
):
    unit.install_python("3.8")

    [line] = unit.dispatch(JUJU_PRINCIPAL_UNIT="")

    assert line.endswith(f"replace {PRINCIPAL} with a unit on Ubuntu 22.04 or newer")
