"""The store, which stands in for Charmhub: packed charms by name and track, bundles by name."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from testbed.juju.errors import JujuError
from testbed.juju.manner import Manner
from testbed.juju.state.charm import Charm, read_charm

_BUNDLES = Path(__file__).resolve().parents[4] / "bundles"


@dataclass(frozen=True)
class Source:
    """A charm and where it came from."""

    charm: Charm
    origin: str  # local or charmhub
    revision: int
    channel: str


class Store:
    """A folder of `NAME_TRACK.charm` and `NAME.charm` (any track).

    The store counts revisions: new content under the same name is the next revision. It reads a
    file again only after a change, and works on a copy named by its digest, so that packing a
    charm again does not change what is deployed.
    """

    def __init__(self, folder: Path, copies: Path, manner: Manner):
        self._folder, self._copies = folder, copies
        self._manner = manner
        self._read: dict[tuple[Path, int, int], Charm] = {}
        self._digests: dict[str, list[str]] = {}

    def bundle(self, name: str) -> Path | None:
        """Return the bundle of this name; None for a charm's, whose overlay may be there too."""
        path = _BUNDLES / f"{name}.yaml"
        is_charm = (self._folder / f"{name}.charm").exists() or self._tracks(name)
        return path if path.exists() and not is_charm else None

    def charm(self, name: str, channel: str) -> Source:
        """Return the charm for `--channel` (TRACK/RISK, TRACK or nothing). Raise JujuError."""
        track, risk = _split(channel)
        for stem in ([f"{name}_{track}"] if track else []) + [name]:
            path = self._folder / f"{stem}.charm"
            if path.exists():
                return self._found(path, name, f"{track or 'latest'}/{risk}")
        if track in ("", "latest") and (path := self._newest(name)):
            return self._found(path, name, f"{path.stem.rpartition('_')[2]}/{risk}")
        if not any(self._folder.glob(f"{name}*.charm")):
            raise JujuError(f'charm or bundle "{name}" not found')
        raise JujuError(
            f'selecting releases: charm or bundle not found for channel "{channel}", base "..."'
            f"\navailable: {', '.join(self._tracks(name))}"
        )

    def load(self, path: Path) -> Charm:
        """Return a packed charm, read once for each content. Raise JujuError."""
        try:
            info = path.stat()
        except OSError as error:
            raise JujuError(f'no charm was found at "{path}"') from error
        key = (path, info.st_mtime_ns, info.st_size)
        if key not in self._read:
            self._read[key] = self._copied(read_charm(path, self._manner))
        return self._read[key]

    def _copied(self, charm: Charm) -> Charm:
        copy = self._copies / f"{charm.digest[:16]}.charm"
        if not copy.exists():
            self._copies.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(charm.path, copy)
        return replace(charm, path=copy)

    def _found(self, path: Path, name: str, channel: str) -> Source:
        charm = self.load(path)
        digests = self._digests.setdefault(name, [])
        if charm.digest not in digests:
            digests.append(charm.digest)
        return Source(charm, "charmhub", digests.index(charm.digest) + 1, channel)

    def _tracks(self, name: str) -> list[str]:
        return sorted(
            path.stem.rpartition("_")[2] for path in self._folder.glob(f"{name}_*.charm")
        )

    def _newest(self, name: str) -> Path | None:
        paths = self._folder.glob(f"{name}_*.charm")
        return max(paths, key=lambda path: _version(path.stem), default=None)


def _version(stem: str) -> list[int]:
    return [int(part) for part in stem.rpartition("_")[2].split(".") if part.isdigit()]


def _split(channel: str) -> tuple[str, str]:
    """Return track and risk: `1.28` and `stable` for `1.28/stable`. `edge` alone has no track."""
    track, slash, risk = channel.partition("/")
    if not slash and track in ("stable", "candidate", "beta", "edge"):
        return "", track
    return ("" if track == "latest" else track), risk or "stable"
