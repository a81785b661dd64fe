"""`dispatch` starts the charm on each Python that it has packages for, and on no other."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from scripts.list_bases import BASES

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.10", "3.12", "3.14")
STARTED = (
    "python3 src/charm.py PYTHONPATH=src:lib:venv/python{}:venv JUJU_DISPATCH_PATH=hooks/start"
)
PRINCIPAL = "kubernetes-control-plane"
MOVE = "replace {} with a unit on Ubuntu 22.04 or newer"
# A python3 that says its version, and prints and notes what it runs.
PYTHON = """\
#!/bin/sh
echo "$1" >>starts
case $1 in
-c) echo {} ;;
*) echo "python3 $* PYTHONPATH=$PYTHONPATH JUJU_DISPATCH_PATH=$JUJU_DISPATCH_PATH" ;;
esac
"""


@pytest.fixture
def charm(tmp_path: Path) -> Path:
    """Return a unit's charm folder, beside a folder of stand-ins for hook tools."""
    folder, tools = tmp_path / "charm", tmp_path / "bin"
    for each in (folder / "src", folder / "venv", tools):
        each.mkdir(parents=True)
    shutil.copy2(ROOT / "dispatch", folder)
    shutil.copy2(ROOT / "src/check-python.sh", folder / "src")
    (folder / "venv/pythons").write_text(" ".join(PYTHONS) + "\n")
    for tool in ("status-set", "action-fail"):
        write(tools / tool, f'#!/bin/sh\necho "{tool} $*"\n')
    return folder


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def install(charm: Path, version: str, *, link: bool = True) -> None:
    """Install a Python as Ubuntu does, or as a file that is no link."""
    tools = charm.parent / "bin"
    write(tools / (f"python{version}" if link else "python3"), PYTHON.format(version))
    if link:
        (tools / "python3").symlink_to(f"python{version}")


def dispatch(charm: Path, path: str = "hooks/start", **more: str) -> str:
    """Return what ran. Fails if `dispatch` does not end well."""
    done = run(charm, path, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.removesuffix("\n")


def run(charm: Path, path: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{charm.parent}/bin",
        "JUJU_DISPATCH_PATH": path,
        "JUJU_UNIT_NAME": "aws-iam/0",
        "JUJU_PRINCIPAL_UNIT": f"{PRINCIPAL}/0",
        **more,
    }
    command = [charm / "dispatch"]
    return subprocess.run(
        command, cwd=charm, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("version", PYTHONS)
def test_given_a_python_with_packages_then_the_charm_runs_and_python_starts_once(
    charm: Path, version: str
):
    install(charm, version)

    assert dispatch(charm) == STARTED.format(version)
    assert (charm / "starts").read_text() == "src/charm.py\n"


def test_given_a_python3_that_is_no_link_then_its_own_word_counts(charm: Path):
    install(charm, "3.12", link=False)

    assert dispatch(charm) == STARTED.format("3.12")


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("3.9", f"no packages for Python 3.9; {MOVE.format(f'{PRINCIPAL}/0')}"),
        ("3.13", f"no packages for Python 3.13; {MOVE.format(f'{PRINCIPAL}/0')}"),
        ("3.15", "no packages for Python 3.15; run: juju refresh aws-iam"),
        ("", "no python3; run: juju exec --unit aws-iam/0 -- apt-get install -y python3"),
    ],
)
def test_given_a_python_without_packages_then_the_unit_is_blocked_and_an_action_fails(
    charm: Path, version: str, said: str
):
    if version:
        install(charm, version)

    assert dispatch(charm) == f"status-set blocked {said}"
    action = {"path": "actions/check", "JUJU_ACTION_NAME": "check"}
    assert dispatch(charm, **action) == f"action-fail {said}"


@pytest.mark.parametrize("hook", ["stop", "remove"])
def test_given_a_python_without_packages_then_a_units_last_hooks_fail_until_it_has_one(
    charm: Path, hook: str
):
    install(charm, "3.15")

    done = run(charm, f"hooks/{hook}")

    said = "no packages for Python 3.15; run: juju refresh aws-iam"
    assert done.returncode == 1
    assert done.stdout == f"status-set blocked {said}\n"
    assert done.stderr == f"{said}; then run: juju resolved aws-iam/0\n"


def test_given_the_bases_of_an_archive_then_it_has_packages_for_the_python_of_each():
    recipe = yaml.safe_load((ROOT / "charmcraft.yaml").read_text())
    build = recipe["parts"]["charm"]["override-build"]

    assert BASES == ("22.04", "24.04", "26.04")
    assert recipe["base"] == f"ubuntu@{BASES[0]}"
    assert re.search(r'build_venv\.py .* "\$CRAFT_ARCH_BUILD_FOR" 3\.10 3\.12 3\.14\n', build)
