"""The lives themselves: they find what is planted, and a story is the same each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REMOVED = 'Story(begin=Begin(units=2), steps=(Step(do="remove"), ))'
FAULTY = (
    'Story(begin=Begin(units=2), steps=(Step(do="declare", what={"rows": [{"who": "alice"}]}), '
    'Step(do="hook", what={"unit": 0}, meanwhile=(Between(act=Step(do="grant", what={"unit": 1, '
    '"who": "bob", "role": "view"}), at=8), Fault(kind="acted, late", at=2), )), '
    'Step(do="rest"), ))'
)


def play(story: str, checkout: Path = ROOT) -> tuple[int, str]:
    """The exit code of a story, and what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.lives"],
        cwd=ROOT,
        env={**os.environ, "STORY": story, "LIVES_SRC": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A checkout whose removal forgets an object."""
    for name in ("src", "lib", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for file in ROOT.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    references = tmp_path / "src/cluster/references.py"
    text = references.read_text()
    assert text.count("    SECRET,\n") == 1
    references.write_text(text.replace("    SECRET,\n", ""))
    return tmp_path


def test_given_a_planted_fault_when_a_story_is_played_then_it_is_told_with_its_promise(
    planted: Path,
):
    assert play(REMOVED)[0] == 0
    code, told = play(REMOVED, planted)

    assert code == 1
    assert "P6 broken: a removal leaves objects: ['aws-iam-certs']" in told
    assert "again: make lives STORY=" in told


def test_given_a_story_with_others_and_a_lost_answer_when_played_twice_then_it_is_the_same():
    first = play(FAULTY)

    assert first == play(FAULTY)
    assert first[0] == 0
    assert "unit 1: grant-access who=bob role=view" in first[1]
    assert "acted, late" in first[1]
