"""`make mutants` fails where tests find fewer changes of the code than its floor."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scripts import mutants

Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs the script where mutmut has these results."""

    def mutmut(*arguments: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(arguments, 0, stdout="")

    def run(*arguments: str, **stats: int) -> int:
        (tmp_path / "mutants").mkdir()
        (tmp_path / "mutants/mutmut-cicd-stats.json").write_text(json.dumps(stats))
        monkeypatch.setattr(sys, "argv", ["mutants.py", "src/access/arn.py", *arguments])
        return mutants.main()

    monkeypatch.setattr(mutants, "COPY", tmp_path)
    monkeypatch.setattr(mutants, "copy", lambda *_: None)
    monkeypatch.setattr(mutants, "mutmut", mutmut)
    return run


def test_given_a_score_below_the_floor_then_it_fails_and_says_so(
    run: Run, capsys: pytest.CaptureFixture[str]
):
    assert run("--floor", "80", killed=78, timeout=1, survived=21, total=100) == 1

    said = capsys.readouterr()
    assert said.out == "79 of 100 changes found, 79.0 %\n"
    assert said.err == "scripts/mutants.py: fewer than 80 % found\n"


def test_given_a_score_of_the_floor_then_it_passes(run: Run):
    assert run("--floor", "80", killed=79, timeout=1, survived=20, total=100) == 0


def test_given_nothing_to_change_then_it_fails(run: Run):
    assert run("--floor", "80", killed=0, total=0) == 1


def test_given_make_then_there_is_a_floor():
    recipe = (mutants.ROOT / "Makefile").read_text()

    assert "scripts/mutants.py $(FILES) --floor $(FLOOR) " in recipe
    assert "\nFLOOR ?= 80\n" in recipe
