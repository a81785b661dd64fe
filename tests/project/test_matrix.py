"""`make matrix` reports every version that it is given, whatever became of the one before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from benchmarks import matrix

Seen = Iterator[Mapping[str, str]]
Stages = Callable[[object, Path, str, str], Seen]
GOOD = "0 of 200, 7 more in restarts"


def well(_: object, _folder: Path, minor: str, next_minor: str) -> Seen:
    yield {"deployed": "61 s", "login": "yes", "policy": "yes"}
    if next_minor:
        yield {"upgraded_to": next_minor, "failed": GOOD}


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stages], None]:
    """Replace what is done with a version in a lab."""
    juju = SimpleNamespace(debug_log=lambda **_: "the log")
    monkeypatch.setattr("jubilant.temp_model", lambda: contextlib.nullcontext(juju))
    return lambda taken: monkeypatch.setattr(matrix, "_stages", taken)


def test_each_version_is_upgraded_to_the_next_and_the_newest_follows_the_last_of_the_minors(
    stages: Callable[[Stages], None], capsys: pytest.CaptureFixture[str]
) -> None:
    upgrades: dict[str, str] = {}

    def noted(juju: object, folder: Path, minor: str, next_minor: str) -> Seen:
        upgrades[minor] = next_minor
        yield from well(juju, folder, minor, next_minor)

    stages(noted)

    assert matrix.main(["1.28", "1.29", "1.31", "1.36", "latest"]) == 0
    assert upgrades == {"1.28": "1.29", "1.29": "", "1.31": "", "1.36": "latest", "latest": ""}
    assert GOOD in capsys.readouterr().out


def test_a_version_that_does_not_come_up_is_reported_and_the_next_one_is_still_tried(
    stages: Callable[[Stages], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(juju: object, folder: Path, minor: str, next_minor: str) -> Seen:
        yield {"deployed": "61 s"}
        if minor == "1.31":
            raise AssertionError("Unauthorized")
        yield from well(juju, folder, minor, next_minor)

    stages(failing)

    assert matrix.main(["1.31", "1.32"]) == 1
    printed = capsys.readouterr()
    assert "1.31  61 s  no  no" in printed.out
    assert "1.32  61 s  yes" in printed.out
    assert "Kubernetes 1.31: Unauthorized" in printed.err
    assert "the log" in printed.err


def test_a_login_that_failed_outside_restarts_ends_the_matrix_with_1(
    stages: Callable[[Stages], None],
) -> None:
    def losing(juju: object, folder: Path, minor: str, next_minor: str) -> Seen:
        yield from well(juju, folder, minor, next_minor)
        if next_minor:
            yield {"failed": "1 of 200, 7 more in restarts"}

    stages(losing)

    assert matrix.main(["1.31", "1.32"]) == 1
