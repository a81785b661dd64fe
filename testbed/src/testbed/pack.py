"""Pack charms for this machine's Python, once for each content.

A charm is a list of files and a hashed lock of Python packages. The store is a folder with
`<name>.charm`, or `<name>_<track>.charm` for a charm that has a flavour for each track.
Packed charms are read-only, and their hash is checked each time they are used: a file that was
written over is packed again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.cache import appearing, cache_dir, keyed
from testbed.fetching import check_answered, check_outside_lab

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_KEPT_SECONDS = 7 * 24 * 3600
_HASH = "sha256"


class PackError(Exception):
    """A charm could not be packed; the message says why and what to do."""


@dataclass(frozen=True)
class Package:
    """A charm of the store: the name of its file, and what it is made of."""

    file: str
    parts: tuple[tuple[Path, tuple[str, ...]], ...]
    """Folders, and the names to take from each. Missing ones are skipped; later ones win."""
    lock: Path | None = None
    """The lock of its Python packages; None for a charm that needs none."""
    bases: tuple[str, ...] = ("20.04", "22.04", "24.04")
    """The versions of Ubuntu that it supports."""
    archive: Path | None = None
    """A packed charm that is taken as it is, in place of the parts."""

    def manifest(self) -> str:
        """Return the manifest.yaml that charmcraft writes.

        It has one architecture, this machine's. Juju 4 takes no base with several.
        """
        listed = (
            f"- name: ubuntu\n  channel: '{base}'\n  architectures: [{_architecture()}]\n"
            for base in self.bases
        )
        return "".join(("bases:\n", *listed))

    def contents(self) -> dict[str, Path]:
        """Return the path of each file, by its name in the charm."""
        return {
            path.relative_to(folder).as_posix(): path
            for folder, members in self.parts
            for member in members
            for path in sorted(_files(folder / member))
        }


def store(packages: Sequence[Package], build_venv: Path) -> Path:
    """Return the folder that holds every charm, packing those that are not there yet.

    `build_venv` is the program that installs a lock. Its arguments are FOLDER LOCK ARCHITECTURE
    PYTHON_VERSION.

    Raises:
        PackError: a charm's packages could not be installed.
        NotFetched: they are missing, and cannot be reached.
    """
    charms = {package.file: _packed(package, build_venv) for package in packages}
    folder = keyed("charms", *(path.name.encode() for path in charms.values()))
    if folder.exists() and not all(_is_intact(folder / name, charms[name]) for name in charms):
        shutil.rmtree(folder)
    if not folder.exists():
        with appearing(folder) as made:
            for name, path in charms.items():
                shutil.copy2(path / name, made / name)
    folder.touch()
    _prune()
    return folder


def _packed(package: Package, build_venv: Path) -> Path:
    """Return a folder with one packed charm and the charm's hash, packing it if necessary."""
    if package.archive:
        return _taken(package.file, package.archive)
    contents = package.contents()
    venv = _venv_folder(package.lock, build_venv) if package.lock else None
    inputs = (f"{place} {os.access(path, os.X_OK)}".encode() for place, path in contents.items())
    packages = venv.name.encode() if venv else b""
    named = (package.file + package.manifest()).encode()
    folder = keyed("packed", named, *inputs, *contents.values(), packages)
    if folder.exists() and not _is_intact(folder / package.file, folder):
        _say(f"{package.file} was written over in the cache, and is packed again")
        shutil.rmtree(folder)
    if not folder.exists():
        started = time.monotonic()
        if venv and package.lock:
            _make_venv(venv, package.lock, build_venv)
            contents |= _placed(venv, "venv")
        with appearing(folder) as made:
            _zip(made / package.file, contents, package.manifest())
            (made / _HASH).write_text(_hash_of(made / package.file))
            (made / package.file).chmod(0o444)
        _say(f"packed {package.file} ({time.monotonic() - started:.1f} s)")
    folder.touch()
    return folder


def _taken(name: str, archive: Path) -> Path:
    """Return a folder with a charm that was packed elsewhere, and its hash."""
    folder = keyed("packed", name.encode(), archive)
    if folder.exists() and not _is_intact(folder / name, folder):
        shutil.rmtree(folder)
    if not folder.exists():
        with appearing(folder) as made:
            shutil.copyfile(archive, made / name)
            (made / _HASH).write_text(_hash_of(made / name))
            (made / name).chmod(0o444)
        _say(f"took {archive} with the hash sha256:{_hash_of(archive)}")
    folder.touch()
    return folder


def _is_intact(charm: Path, packed: Path) -> bool:
    """Return whether the file `charm` has the hash that the folder `packed` recorded."""
    recorded = packed / _HASH
    return charm.exists() and recorded.exists() and recorded.read_text() == _hash_of(charm)


def _hash_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _venv_folder(lock: Path, build_venv: Path) -> Path:
    return keyed("charm-venv", lock, build_venv, f"{sys.version} {platform.machine()}".encode())


def _make_venv(folder: Path, lock: Path, build_venv: Path) -> None:
    if folder.exists():
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    check_outside_lab(f"the packages of {lock.name} are", "scripts/lab setup")
    _say(f"installing {lock.name} for Python {version} (once) …")
    with appearing(folder) as made:
        command = [sys.executable, *map(str, (build_venv, made, lock)), _architecture(), version]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            check_answered(f"the packages of {lock.name}", done.stderr)
            raise PackError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")


def _zip(file: Path, contents: dict[str, Path], manifest: str) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for place, path in contents.items():
            archive.write(path, place)
        archive.writestr("manifest.yaml", manifest)


def _architecture() -> str:
    """Return this machine's architecture, as Ubuntu calls it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def _placed(folder: Path, place: str) -> dict[str, Path]:
    return {f"{place}/{path.relative_to(folder).as_posix()}": path for path in _files(folder)}


def _files(path: Path) -> Iterator[Path]:
    """Yield the files below a path, or the path itself if it is a file."""
    if path.is_file():
        yield path
    else:
        yield from (
            file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts
        )


def _prune() -> None:
    """Remove charms and stores that nobody used for a week."""
    for kind in ("packed", "charms"):
        for folder in (cache_dir() / kind).iterdir():
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
