"""Archives of the authority's files in a folder that the operator can copy from."""

from __future__ import annotations

import contextlib
import datetime
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

# What an archive must hold at least.
_NEEDED = {
    "pki",
    "pki/ca.crt",
    "pki/issued",
    "pki/issued/client.crt",
    "pki/private",
    "pki/private/ca.key",
    "pki/private/client.key",
    "pki/serial",
}
_CORRUPTED = "Backup has unexpected content. Corrupted file?"


class BackupError(Exception):
    """An archive is missing or is not one; the message is for the operator."""


@dataclass(frozen=True)
class Backups:
    """The archives in `folder`, which belongs to `owner`, the user whom `juju scp` logs in as."""

    folder: Path
    owner: str

    def make(self, pki: Path) -> Path:
        """Return a new archive of the authority's folder."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        shutil.chown(self.folder, self.owner, self.owner)
        moment = datetime.datetime.now(datetime.timezone.utc)
        archive = self.folder / f"easyrsa-{moment:%Y-%m-%d_%H-%M-%S}.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(pki, "pki")
        return archive

    def restore(self, name: str, pki: Path) -> None:
        """Put the archive's files in the place of the authority's folder.

        Raises:
            BackupError: there is no such archive, or it does not hold an authority.
        """
        archive = self._find(name)
        try:
            with tarfile.open(archive) as packed:
                found = packed.getnames()
                if not _NEEDED.issubset(found) or not all(map(_belongs, found)):
                    raise BackupError(_CORRUPTED)
                _replace(pki, packed)
        except tarfile.TarError as error:
            raise BackupError(_CORRUPTED) from error

    def names(self) -> list[str]:
        """Return the names of all archives."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(path.name for path in self.folder.iterdir())
        return []

    def delete(self, name: str) -> None:
        """Delete one archive.

        Raises:
            BackupError: there is none of this name.
        """
        self._find(name).unlink()

    def delete_all(self) -> None:
        """Delete every archive."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _find(self, name: str) -> Path:
        if name not in self.names():
            raise BackupError(f"Backup file '{name}' does not exist")
        return self.folder / name


def _belongs(name: str) -> bool:
    parts = Path(name).parts
    return parts[:1] == ("pki",) and ".." not in parts


def _replace(pki: Path, packed: tarfile.TarFile) -> None:
    """Unpack beside the folder first: it stays whole if the archive cannot be read to its end."""
    with tempfile.TemporaryDirectory(dir=pki.parent) as unpacked:
        packed.extractall(unpacked)  # noqa: S202 - every name in it belongs
        shutil.rmtree(pki, ignore_errors=True)
        shutil.move(Path(unpacked, "pki"), pki)
