"""`scripts/with-tools` says in one line what it lacks, and for what it waits."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Makes an environment whose pip does what $PIP says.
PYTHON = """\
#!/bin/sh
[ "$1" = -m ] || exit 0
mkdir -p "$3/bin"
printf '#!/bin/sh\\n%s\\n' "$PIP" >"$3/bin/pip"
printf '#!/bin/sh\\n' >"$3/bin/uv"
chmod +x "$3/bin/pip" "$3/bin/uv"
"""
OFFLINE = """\
echo "WARNING: Retrying … after connection broken by 'NewConnectionError(': /simple/uv/"
echo "ERROR: No matching distribution found for uv==0.13.9"
exit 1"""
CHANGED = 'echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"; exit 1'

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return a function that starts the script with an empty cache, and with this pip."""
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    empty = {"AWS_IAM_CACHE": str(tmp_path / "cache"), "TOOLS_PYTHON": str(python)}

    def start(*arguments: str, pip: str = "", **more: str) -> subprocess.Popen[str]:
        command = [ROOT / "scripts" / "with-tools", *arguments]
        environment = {**os.environ, "TESTBED_STATE": "", **empty, "PIP": pip, **more}
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    return start


def test_given_a_lab_then_it_fetches_nothing_and_names_the_command(start: Start):
    ran = start("--aws-cli", "aws", TESTBED_STATE="/run/aws-iam/testbed")

    _, said = ran.communicate()
    assert ran.returncode == 1
    assert said == (
        "scripts/with-tools: a lab has no network, and the Python packages of uv.lock, group "
        "aws-cli, are missing; outside it, run: scripts/with-tools --aws-cli true\n"
    )


def test_given_a_machine_without_jq_then_it_is_installed_for_the_tests_of_recipes(
    start: Start, tmp_path: Path
):
    knows = tmp_path / "dpkg-query"
    knows.write_text('#!/bin/sh\ncase "$*" in *" jq") ;; *) printf installed ;; esac\n')
    knows.chmod(0o755)

    path = f"{tmp_path}:{os.environ['PATH']}"
    ran = start("pytest", TESTBED_STATE="/run/aws-iam/testbed", PATH=path)

    _, said = ran.communicate()
    assert ran.returncode == 1
    assert said == (
        "scripts/with-tools: a lab has no network, and the Debian packages jq are missing; "
        "outside it, run: scripts/with-tools true\n"
    )


def test_given_no_network_then_one_line_says_for_what_it_is_needed(start: Start):
    ran = start("true", pip=OFFLINE)

    _, said = ran.communicate()
    assert ran.returncode == 1
    assert said == (
        "Installing uv.lock, group tools (once) …\n"
        "scripts/with-tools: no network, and the first run needs it to fetch "
        "the Python packages of uv.lock, group tools\n"
    )


def test_given_another_failure_then_it_is_told_in_pips_words(start: Start):
    ran = start("true", pip=CHANGED)

    _, said = ran.communicate()
    assert ran.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES\n" in said
    assert said.endswith(" cannot fetch the Python packages of uv.lock, group tools\n")


def test_given_another_process_that_installs_then_it_waits_and_says_so(
    start: Start, tmp_path: Path
):
    goes_on = tmp_path / "goes-on"
    first = start("true", pip=f"until [ -e {goes_on} ]; do sleep 0.02; done")
    assert first.stderr
    assert first.stderr.readline() == "Installing uv.lock, group tools (once) …\n"

    second = start("true", pip="exit 1")
    assert second.stderr
    said = second.stderr.readline()
    goes_on.touch()

    assert said == "Waiting for another process, which installs uv.lock, group tools …\n"
    assert [ran.communicate()[1] for ran in (first, second)] == ["", ""]
    assert [ran.returncode for ran in (first, second)] == [0, 0]
