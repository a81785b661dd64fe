"""What an upgrade replaces, removes and leaves of a charm's files on its machine, as in Juju."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from testbed.juju.state.charm import Charm, read_charm
from testbed.juju.uniter.deployer import deploy
from unit.juju.charms import PRINCIPAL
from unit.juju.localmachine import LocalMachine

CHARM = "var/lib/juju/agents/unit-host-0/charm"
BASE = {"metadata.yaml": PRINCIPAL, "dispatch": "#!/bin/sh\n"}


def archive(path: Path, members: dict[str, str]) -> Path:
    """Pack these members: a name that ends with a slash is a folder, `-> x` is a link to x."""
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in {**BASE, **members}.items():
            info = zipfile.ZipInfo(name)
            kind = 0o120777 if content.startswith("-> ") else 0o100644
            info.external_attr = (0o40755 if name.endswith("/") else kind) << 16
            packed.writestr(info, content.removeprefix("-> "))
    return path


class Host:
    """A machine with the unit host/0."""

    def __init__(self, folder: Path):
        self.machine = LocalMachine("default", 0, folder / "machine", folder)
        self.root = self.machine.root
        self.charm = self.root / CHARM
        self._folder = folder
        self._revision = 0

    def deploy(self, **members: str) -> None:
        deploy(self.machine, "host/0", self.packed(members))

    def packed(self, members: dict[str, str]) -> Charm:
        self._revision += 1
        return read_charm(archive(self._folder / f"{self._revision}.charm", members))

    def files(self) -> dict[str, str]:
        """Return the files in the charm's folder, without those of every archive."""
        found = {str(p.relative_to(self.charm)): p for p in self.charm.rglob("*") if p.is_file()}
        return {name: path.read_text() for name, path in found.items() if name not in BASE}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_an_upgrade_removes_what_only_the_old_archive_has(host: Host) -> None:
    host.deploy(**{"lib/gone.py": "1", "lib/kept.py": "1"})
    (host.charm / "lib/gone.pyc").write_text("made by the charm")
    (host.charm / "state.db").write_text("made by the charm")

    host.deploy(**{"lib/kept.py": "2"})

    assert host.files() == {
        "lib/kept.py": "2",
        "lib/gone.pyc": "made by the charm",
        "state.db": "made by the charm",
    }


def test_a_folder_that_only_the_old_archive_lists_goes_whole_before_the_new_one_comes(
    host: Host,
) -> None:
    host.deploy(**{"lib/": "", "lib/kept.py": "1"})
    (host.charm / "lib/own").write_text("made by the charm")

    host.deploy(**{"lib/kept.py": "2"})

    assert host.files() == {"lib/kept.py": "2"}


def test_a_file_takes_a_folders_place_and_a_folder_a_files(host: Host) -> None:
    host.deploy(**{"first/": "", "first/file": "1", "second": "1", "third/file": "1"})
    (host.charm / "third/own").write_text("made by the charm")

    host.deploy(**{"first": "2", "second/": "", "second/file": "2", "third": "2"})

    assert host.files() == {"first": "2", "second/file": "2", "third": "2"}


def test_links_and_permissions_are_as_packed_but_hooks_always_run(host: Host) -> None:
    host.deploy(**{"hooks/start": "#!/bin/sh\n", "hooks/lib.sh": "", "hooks/stop": "-> start"})

    hooks = host.charm / "hooks"
    assert (hooks / "stop").readlink() == Path("start")
    assert [oct((hooks / n).stat().st_mode & 0o777) for n in ("start", "lib.sh")] == [
        "0o744",
        "0o644",
    ]
