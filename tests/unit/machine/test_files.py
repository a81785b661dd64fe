"""Files on the machine: whole or not at all, and for root alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from errors import Blocked
from machine import files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cdk" / "webhook.yaml"


@pytest.fixture
def _permissive() -> Iterator[None]:
    former = os.umask(0o000)
    yield
    os.umask(former)


@pytest.mark.usefixtures("_permissive")
def test_given_no_folder_when_written_then_the_file_is_there_for_its_owner_alone(path: Path):
    files.write(path, "text")
    assert path.read_text() == "text"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]

    before = path.stat()
    files.write(path, "text")
    assert path.stat() == before

    path.chmod(0o644)
    files.write(path, "text")
    assert path.stat().st_mode & 0o777 == 0o600


def test_given_what_a_killed_write_left_when_written_again_then_nothing_of_it_stays(path: Path):
    path.parent.mkdir()
    (path.parent / ".webhook.yaml.new").write_text("half of a much longer text")
    files.write(path, "text")

    assert path.read_text() == "text"
    assert list(path.parent.iterdir()) == [path]


def test_given_no_file_when_read_or_removed_then_that_is_fine(path: Path):
    assert files.read(path) is None
    files.remove(path)

    path.parent.mkdir()
    path.write_bytes(b"\xff")
    assert files.read(path) is None
    files.remove(path)
    assert list(path.parent.iterdir()) == []


def test_given_something_in_the_way_then_the_error_says_what_to_repair(path: Path, tmp_path: Path):
    path.mkdir(parents=True)
    with pytest.raises(Blocked) as blocked:
        files.write(path, "text")
    assert str(blocked.value) == f"cannot write {path}: Is a directory; repair the machine"

    path = tmp_path / "file" / "webhook.yaml"
    path.parent.touch()
    with pytest.raises(Blocked) as blocked:
        files.remove(path)
    assert str(blocked.value) == f"cannot remove {path}: Not a directory; repair the machine"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (OSError("not supported"), "not supported"),
    ],
)
def test_given_a_disk_that_fails_when_written_then_the_old_text_stays(
    path: Path, error: OSError, cause: str
):
    files.write(path, "old")

    with mock.patch.object(os, "fsync", side_effect=error), pytest.raises(Blocked) as blocked:
        files.write(path, "new")

    assert str(blocked.value) == f"cannot write {path}: {cause}; repair the machine"
    assert path.read_text() == "old"
    files.write(path, "new")
    assert list(path.parent.iterdir()) == [path]


def test_given_a_text_when_written_then_the_whole_is_on_disk_before_it_replaces_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda _: synced.append((path.parent / ".webhook.yaml.new").read_text())
    )
    files.write(path, "text")

    assert synced == ["text"]
