"""A command runs with the charm of another revision, and with all else of this one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/with-charm"
FILES = ("actions.yaml", "charmcraft.yaml", "config.yaml", "metadata.yaml", "requirements.txt")
PACKED = (*FILES, "dispatch", "src/charm.py", "templates/a", "lib/a", "overlays/a")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose charm and benchmark have changed once."""
    root = tmp_path / "checkout"
    (root / "scripts").mkdir(parents=True)
    (root / "scripts/with-charm").symlink_to(SCRIPT)
    git(root, "init", "--quiet")
    for text in ("former", "present"):
        for name in (*PACKED, "benchmarks/a", f"src/{text}.py"):
            path = root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", text)
    (root / "src/former.py").unlink()
    return root


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True)


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    line = [f"{root}/scripts/with-charm", "HEAD~1", *command]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_given_a_revision_then_its_charm_is_there_beside_what_has_come_since(checkout: Path):
    done = run(checkout, "grep", "-r", "--exclude-dir=.git", "--exclude-dir=scripts", "", ".")

    assert done.stderr == ""
    found = dict(line.removeprefix("./").split(":") for line in done.stdout.splitlines())
    assert found == {
        **dict.fromkeys((*PACKED, "src/former.py"), "former"),
        "benchmarks/a": "present",
    }


def test_given_a_command_that_fails_then_so_does_all_and_the_copy_is_gone(checkout: Path):
    done = run(checkout, "sh", "-c", "pwd; exit 3")

    assert done.returncode == 3
    assert not Path(done.stdout.strip()).exists()
