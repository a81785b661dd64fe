"""Puts a charm's files on a machine, as the manifest deployer of Juju's uniter does.

The order is Juju's (package worker/uniter/charm). First it removes what only the old archive
lists, folders with all their content. Then each member of the new archive replaces whatever is in
its place. All other files that the charm has created stay.
"""

from __future__ import annotations

import json
import posixpath
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

from testbed.juju.errors import JujuError
from testbed.juju.state.charm import Charm
from testbed.juju.state.machine import MachineLike
from testbed.juju.state.paths import agent_dir, charm_dir, inside

_UMASK = 0o022
_OWNER_EXECUTES = 0o100


def deploy(machine: MachineLike, unit: str, charm: Charm) -> None:
    """Replace the files of a unit's charm. Raise JujuError if that fails."""
    folder = charm_dir(unit)
    inside(machine, folder).mkdir(parents=True, exist_ok=True)
    manifest = inside(machine, agent_dir(unit)) / "manifest.json"
    old = set(json.loads(manifest.read_text())) if manifest.exists() else set()
    try:
        with zipfile.ZipFile(charm.path) as archive:
            new = {path for path, _ in _members(archive)}
            _write(manifest, old | new)  # until the end, files of both charms may be there
            for path in sorted(old - new):
                _remove(inside(machine, f"{folder}/{path}"))
            for path, info in _members(archive):
                _extract(archive, info, inside(machine, f"{folder}/{path}"))
            _make_executable(inside(machine, f"{folder}/hooks"), charm.hooks())
            _write(manifest, new)
    except (OSError, zipfile.BadZipFile) as error:
        raise JujuError(f'cannot unpack charm "{charm.path}": {error}') from error


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield each member with its path in the charm's folder. No name leads out of that folder."""
    for info in archive.infolist():
        path = posixpath.normpath(info.filename).lstrip("/")
        while path.startswith("../"):
            path = path.removeprefix("../")
        if path not in ("", ".", ".."):
            yield path, info


def _write(manifest: Path, paths: set[str]) -> None:
    manifest.write_text(json.dumps(sorted(paths)))


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(info.external_attr >> 16) & ~_UMASK
    if info.is_dir():
        _make_folder(path, mode or 0o755)
        return
    _remove(path)
    if stat.S_ISLNK(info.external_attr >> 16):
        path.symlink_to(archive.read(info).decode())
        return
    path.write_bytes(archive.read(info))
    path.chmod(mode or 0o644)


def _make_folder(path: Path, mode: int) -> None:
    if path.is_symlink() or not path.is_dir():
        _remove(path)
        path.mkdir()
    path.chmod(mode)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _make_executable(hooks: Path, names: set[str]) -> None:
    """Make the scripts with names of hooks executable, however they were packed."""
    if hooks.is_symlink() or not hooks.is_dir():
        return
    for script in hooks.iterdir():
        if script.name in names and script.is_file() and not script.is_symlink():
            script.chmod(script.stat().st_mode | _OWNER_EXECUTES)
