"""Packs the charm and the peer charms for this machine's Python, once for each content.

`python -m testbed.pack` prints the folder that holds them: `<name>.charm`, or
`<name>_<track>.charm` where a charm has a flavour for each of several tracks. The packages come
from the lock that the charm's own packing uses, through the same script; only the Python that
they are for is another.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from testbed.cache import cache_dir, keyed

ROOT = Path(__file__).resolve().parent.parent
_PEERS = ROOT / "testbed" / "charms"
_LOCK = ROOT / "requirements.txt"
_SMALL_LOCK = _PEERS / "requirements.txt"
_BUILD_VENV = ROOT / "scripts" / "build-venv"
_JUJU_FILES = ("metadata.yaml", "config.yaml", "actions.yaml")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_KEPT_SECONDS = 7 * 24 * 3600


class PackError(Exception):
    """A charm could not be packed; the message says why and what to do."""


@dataclass(frozen=True)
class Package:
    """One charm of the store: its file's name, and the files and the lock that it is made of."""

    file: str
    parts: tuple[tuple[Path, tuple[str, ...]], ...]
    """Folders, and what is taken from each where it is there; later ones win."""
    lock: Path | None = None
    """The packages beside it; None where the charm needs nothing but Python."""

    def contents(self) -> dict[str, Path]:
        """Return each file's place in the charm and on the disk."""
        return {
            path.relative_to(folder).as_posix(): path
            for folder, members in self.parts
            for member in members
            for path in sorted(_files(folder / member))
        }


def packages() -> list[Package]:
    """Return every charm that the testbed deploys.

    The charm itself holds what charmcraft.yaml stages; a peer charm lies in a folder of its
    name, with one folder more for each flavour.
    """
    recipe = yaml.safe_load((ROOT / "charmcraft.yaml").read_text())
    staged = tuple(name for name in recipe["parts"]["charm"]["stage"] if name != "venv")
    return [
        Package("aws-iam.charm", ((ROOT, (*_JUJU_FILES, *staged)),), _LOCK),
        _control_plane("1.28"),
        _control_plane("1.29"),
        _authority("easyrsa", _SMALL_LOCK),
        _authority("vault", _LOCK),
        Package("self-signed-certificates.charm", (_own("self-signed-certificates"),), _LOCK),
        Package("bare.charm", (_own("bare"),), _SMALL_LOCK),
        Package("aws-iam_reactive.charm", (_own("aws-iam-reactive"),)),
        Package("quick-peer.charm", (_own("quick-peer"),)),
    ]


def _control_plane(track: str) -> Package:
    """Return a flavour of the control plane, which is a user of the charm's public library."""
    name = "kubernetes-control-plane"
    parts = ((ROOT, ("lib",)), _own(name), (_PEERS / name / track, _JUJU_FILES))
    return Package(f"{name}_{track}.charm", parts, _SMALL_LOCK)


def _authority(name: str, lock: Path) -> Package:
    """Return an authority of the older protocol; they share the module that speaks it."""
    return Package(f"{name}.charm", ((_PEERS / "shared", ("lib",)), _own(name)), lock)


def _own(name: str) -> tuple[Path, tuple[str, ...]]:
    return _PEERS / name, (*_JUJU_FILES, "dispatch", "src")


def store() -> Path:
    """Return the folder that holds every charm, packed now if it is not there.

    Raises:
        PackError: a charm's packages could not be installed.
    """
    charms = {package.file: _packed(package) for package in packages()}
    folder = keyed("charms", *(path.name.encode() for path in charms.values()))
    if not folder.exists():
        with _appearing(folder) as made:
            for name, path in charms.items():
                (made / name).hardlink_to(path / name)
    folder.touch()
    _prune()
    return folder


def _packed(package: Package) -> Path:
    """Return the folder with the one charm in it."""
    contents = package.contents()
    venv = _venv_folder(package.lock) if package.lock else None
    inputs = (f"{place} {os.access(path, os.X_OK)}".encode() for place, path in contents.items())
    packages = venv.name.encode() if venv else b""
    folder = keyed("charm", package.file.encode(), *inputs, *contents.values(), packages)
    if not folder.exists():
        started = time.monotonic()
        if venv and package.lock:
            _make_venv(venv, package.lock)
            contents |= _placed(venv, "venv")
        with _appearing(folder) as made:
            _zip(made / package.file, contents)
        _say(f"packed {package.file} ({time.monotonic() - started:.1f} s)")
    folder.touch()
    return folder


def _venv_folder(lock: Path) -> Path:
    return keyed("charm-venv", lock, _BUILD_VENV, f"{sys.version} {platform.machine()}".encode())


def _make_venv(folder: Path, lock: Path) -> None:
    if folder.exists():
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    _say(f"installing {lock.relative_to(ROOT)} for Python {version} (once) …")
    with _appearing(folder) as made:
        command = [str(_BUILD_VENV), str(made), str(lock), version, architecture]
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PackError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")


@contextlib.contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, which then takes `folder`'s place whole, or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=folder.parent) as temporary:
        made = Path(temporary) / folder.name
        made.mkdir()
        yield made
        # Another process may have been quicker; what it made is the same.
        if not folder.exists():
            made.rename(folder)


def _zip(file: Path, contents: dict[str, Path]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for place, path in contents.items():
            archive.write(path, place)


def _placed(folder: Path, place: str) -> dict[str, Path]:
    return {f"{place}/{path.relative_to(folder).as_posix()}": path for path in _files(folder)}


def _files(path: Path) -> Iterator[Path]:
    """Yield the files under a path, or the path itself where it is a file."""
    if path.is_file():
        yield path
    else:
        yield from (
            file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts
        )


def _prune() -> None:
    """Remove charms and stores that nobody asked for in a week."""
    for kind in ("charm", "charms"):
        for folder in (cache_dir() / kind).iterdir():
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        print(store())
    except PackError as error:
        sys.exit(f"testbed.pack: {error}")
