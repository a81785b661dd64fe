"""The members of a packed charm, by the rules of Juju's package utils/zip."""

from __future__ import annotations

import posixpath
import stat
import zipfile
from collections.abc import Iterator

from testbed.juju.errors import JujuError


def members(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield each member with its path in the charm's folder. No name leads out of that folder."""
    for info in archive.infolist():
        path = posixpath.normpath(info.filename).lstrip("/")
        while path.startswith("../"):
            path = path.removeprefix("../")
        if path not in ("", ".", ".."):
            yield path, info


def is_link(info: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)


def check_links(archive: zipfile.ZipFile) -> None:
    """Raise JujuError for a link that is absolute or leads out of the charm's folder."""
    for path, info in members(archive):
        if not is_link(info):
            continue
        target = archive.read(info).decode()
        if target.startswith("/"):
            raise JujuError(f'cannot extract "{path}": symlink "{target}" is absolute')
        goal = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if goal == ".." or goal.startswith("../"):
            raise JujuError(f'cannot extract "{path}": symlink "{target}" leads out of scope')
