"""What is packed once is taken again only as long as it is what was packed."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.juju.state.charm import read_charm
from testbed.pack import Package, PackError, store

Pack = Callable[[], Path]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AWS_IAM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Two charms, a module that both take, and a lock."""
    for name in ("easyrsa", "vault"):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "metadata.yaml").write_text(f"name: {name}\n")
        (tmp_path / name / "src" / "charm.py").write_text(f"NAME = {name!r}\n")
        (tmp_path / name / "dispatch").write_text("#!/bin/sh\n")
        (tmp_path / name / "dispatch").chmod(0o755)
    (tmp_path / "shared" / "lib").mkdir(parents=True)
    (tmp_path / "shared" / "lib" / "shared.py").write_text("")
    (tmp_path / "requirements.txt").write_text("ops==3.9.0\n")
    return tmp_path


@pytest.fixture
def build_venv(tmp_path: Path) -> Path:
    """A program that notes that it ran, and installs one file, which names the lock."""
    program = tmp_path / "build-venv"
    program.write_text(
        "import pathlib, shutil, sys\n"
        "with pathlib.Path(__file__).with_name('installed').open('a') as file:\n"
        "    print(*sys.argv[1:], file=file)\n"
        "shutil.copy(sys.argv[2], pathlib.Path(sys.argv[1], 'lock'))\n"
    )
    return program


@pytest.fixture
def pack(sources: Path, build_venv: Path) -> Pack:
    """Return what packs both charms and returns the store's folder."""
    members = ("metadata.yaml", "dispatch", "src", "actions.yaml")
    packages = [
        Package(
            f"{name}.charm",
            ((sources / "shared", ("lib",)), (sources / name, members)),
            sources / "requirements.txt",
        )
        for name in ("easyrsa", "vault")
    ]
    return lambda: store(packages, build_venv)


def packed_copy(cache: Path, name: str) -> Path:
    """Return the file that the store's copy was made of."""
    [found] = (cache / "packed").glob(f"*/{name}")
    return found


def name_in(charm: Path) -> str:
    with zipfile.ZipFile(charm) as archive:
        return archive.read("metadata.yaml").decode()


def write_over(charm: Path, content: bytes) -> None:
    """Do what `cp` does to a read-only file for root."""
    charm.chmod(0o644)
    charm.write_bytes(content)


def test_a_charm_holds_its_files_what_it_shares_and_its_packages(pack: Pack) -> None:
    with zipfile.ZipFile(pack() / "vault.charm") as charm:
        assert sorted(charm.namelist()) == [
            "dispatch",
            "lib/shared.py",
            "manifest.yaml",
            "metadata.yaml",
            "src/charm.py",
            "venv/lock",
        ]
        assert charm.getinfo("dispatch").external_attr >> 16 & stat.S_IXUSR


def test_a_charm_lists_its_bases_in_its_manifest(sources: Path, build_venv: Path) -> None:
    parts = ((sources / "vault", ("metadata.yaml", "dispatch")),)
    charm = Package("vault.charm", parts, bases=("22.04", "24.04"))
    assert read_charm(store([charm], build_venv) / "vault.charm").bases == (
        "ubuntu@22.04",
        "ubuntu@24.04",
    )


def test_packages_are_installed_once_for_all_charms_of_a_lock(pack: Pack, sources: Path) -> None:
    pack()
    pack()
    assert len((sources / "installed").read_text().splitlines()) == 1


def test_packages_that_cannot_be_installed_are_an_error_with_the_reason(
    pack: Pack, build_venv: Path
) -> None:
    build_venv.write_text("import sys\nsys.exit('no such version')\n")
    with pytest.raises(PackError, match="no such version"):
        pack()


def test_unchanged_charms_are_not_packed_again(
    pack: Pack, capsys: pytest.CaptureFixture[str]
) -> None:
    first = pack()
    capsys.readouterr()
    assert pack() == first
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "src" / "charm.py").write_text("NAME = 'changed'\n"),
        lambda folder: (folder / "actions.yaml").write_text("unseal: {}\n"),
        lambda folder: (folder / "dispatch").chmod(0o644),
    ],
    ids=["content", "a file more", "not executable any more"],
)
def test_a_changed_charm_is_packed_and_the_other_is_not(
    change: Callable[[Path], object],
    pack: Pack,
    sources: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = pack()
    capsys.readouterr()
    change(sources / "vault")
    assert pack() != first
    said = capsys.readouterr().err
    assert "packed vault.charm" in said
    assert "easyrsa" not in said


def test_what_is_packed_is_read_only(pack: Pack, own_cache: Path) -> None:
    folder = pack()
    for name in ("easyrsa.charm", "vault.charm"):
        for charm in (folder / name, packed_copy(own_cache, name)):
            assert stat.S_IMODE(charm.stat().st_mode) == 0o444


def test_a_charm_that_was_written_over_in_the_store_is_taken_again(pack: Pack) -> None:
    charm = pack() / "vault.charm"
    whole = charm.read_bytes()
    write_over(charm, b"something else")
    assert (pack() / "vault.charm").read_bytes() == whole


def test_a_charm_that_was_written_over_where_it_was_packed_is_packed_again(
    pack: Pack, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pack()
    write_over(packed_copy(own_cache, "vault.charm"), b"something else")
    write_over(folder / "vault.charm", b"something else")
    capsys.readouterr()
    charm = pack() / "vault.charm"
    assert name_in(charm) == "name: vault\n"
    assert stat.S_IMODE(charm.stat().st_mode) == 0o444
    assert "vault.charm was written over in the cache" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["store", "packed"])
def test_a_charm_that_is_gone_comes_back(where: str, pack: Pack, own_cache: Path) -> None:
    folder = pack()
    gone = folder if where == "store" else packed_copy(own_cache, "vault.charm").parent
    os.unlink(gone / "vault.charm")
    assert name_in(pack() / "vault.charm") == "name: vault\n"


def test_a_charm_that_was_packed_elsewhere_is_taken_as_it_is(
    sources: Path, build_venv: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "other_amd64.charm"
    archive.write_bytes(b"packed once")
    given = Package("vault.charm", ((sources / "vault", ("src",)),), None, archive=archive)

    assert (store([given], build_venv) / "vault.charm").read_bytes() == b"packed once"

    archive.write_bytes(b"packed again")
    assert (store([given], build_venv) / "vault.charm").read_bytes() == b"packed again"
