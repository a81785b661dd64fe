"""The charm loads and runs a hook on each Python that it is packed for, as it is packed.

With ALL_PYTHONS=1, a Python that is missing is an error, and with AWS_IAM_CHARM=FILE, the charm is
what `make pack` has packed.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.conformance import pythons

# Every import statement, because many stand in functions, where they wait until they are needed.
IMPORT_ALL = """
import ast, pathlib

for folder in map(pathlib.Path, ("src", "lib")):
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                exec(ast.unparse(node))
# Their packages do without these, only slower.
import markupsafe._speedups, yaml._yaml
"""
# Answers as Juju does where nothing is related yet, and notes each call.
HOOK_TOOL = """\
#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case $(basename "$0") in
is-leader) echo true ;;
config-get) cat "$OPTIONS" ;;
relation-ids) echo '[]' ;;
model-config | relation-get) echo '{}' ;;
state-get | secret-info-get | goal-state) echo '{}' ;;
esac
"""
TOOLS = (
    *("action-fail", "action-get", "action-set", "application-version-set", "config-get"),
    *("goal-state", "is-leader", "juju-log", "network-get", "relation-get", "relation-ids"),
    *("relation-list", "relation-set", "secret-info-get", "secret-get", "secret-add"),
    *("state-get", "state-set", "status-get", "status-set"),
)
INTERPRETERS = pythons.interpreters()


@pytest.fixture(params=pythons.versions())
def python(request: pytest.FixtureRequest) -> str:
    """Return a Python of the charm's, by its version."""
    if request.param not in INTERPRETERS:
        where = f"no python{request.param} on the PATH or in ~/.pyenv/versions"
        assert not os.environ.get("ALL_PYTHONS"), where
        pytest.skip(where)
    return request.param


@pytest.fixture
def charm(tmp_path: Path) -> Path:
    """Return the charm's folder, as Juju unpacks it."""
    folder = tmp_path / "charm"
    folder.mkdir()
    pythons.unpack(folder)
    packages = folder / "venv"
    assert packages.exists(), "install this first: python -m tests.conformance.pythons"
    return folder


def test_given_a_python_of_the_charms_then_every_module_of_it_loads(charm: Path, python: str):
    done = subprocess.run(
        [INTERPRETERS[python], "-B", "-s", "-c", IMPORT_ALL],
        cwd=charm,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"src:lib:venv/python{python}:venv"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("event", ["install", "config-changed", "update-status"])
def test_given_a_python_of_the_charms_when_a_hook_runs_then_the_unit_has_a_status(
    charm: Path, python: str, event: str, tmp_path: Path
):
    tools, calls, options = tmp_path / "tools", tmp_path / "calls", tmp_path / "options"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).write_text(HOOK_TOOL)
        (tools / name).chmod(0o755)
    # As Ubuntu has it.
    (tools / f"python{python}").symlink_to(INTERPRETERS[python])
    (tools / "python3").symlink_to(f"python{python}")
    described = yaml.safe_load((charm / "config.yaml").read_text())["options"]
    options.write_text(json.dumps({name: each["default"] for name, each in described.items()}))

    done = subprocess.run(
        ["./dispatch"],
        cwd=charm,
        env={
            "PATH": f"{tools}:/usr/bin:/bin",
            "CALLS": str(calls),
            "OPTIONS": str(options),
            "PYTHONDONTWRITEBYTECODE": "1",
            "JUJU_CHARM_DIR": str(charm),
            "JUJU_DISPATCH_PATH": f"hooks/{event}",
            "JUJU_UNIT_NAME": "aws-iam/0",
            "JUJU_MODEL_NAME": "test",
            "JUJU_MODEL_UUID": "c3a3d8d1-7d8d-4c4e-8b7c-0b1f5a0e6f00",
            "JUJU_PRINCIPAL_UNIT": "kubernetes-control-plane/0",
            "JUJU_VERSION": "3.6.11",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    called = calls.read_text()
    assert "\nstatus-set " in called
    assert "Traceback" not in called
    assert "internal error" not in called
