"""What Juju keeps on a machine, and how the controller reaches it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from testbed.juju.state.paths import inside
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju
from unit.juju.localmachine import LocalMachine


def test_charmhelpers_finds_jujus_version_beside_the_machines_tools(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("deploy", "./host.charm")
    juju("deploy", "./host.charm", "guest", "--to", "0")
    juju.settle()
    root = juju.lab.machines[0].root

    (jujud,) = root.glob("var/lib/juju/tools/machine-*/jujud")
    version = subprocess.run([jujud, "version"], capture_output=True, text=True, check=True)
    other = subprocess.run([jujud, "dance"], capture_output=True, text=True, check=False)

    assert jujud.parent.name == "machine-0"
    assert version.stdout == juju("version") == "3.6.28-ubuntu-amd64\n"
    assert (other.returncode, other.stderr) == (2, "ERROR unrecognized command: jujud dance\n")
    for unit in ("host-0", "guest-0"):
        assert (root / f"var/lib/juju/tools/unit-{unit}/relation-get").resolve().is_file()


@pytest.fixture
def machine(tmp_path: Path) -> LocalMachine:
    return LocalMachine("default", 0, tmp_path / "machine", tmp_path)


@pytest.mark.parametrize(
    ("link", "target", "path", "reached"),
    [
        ("opt/there", "/home/ubuntu", "/opt/there/file", "home/ubuntu/file"),
        ("opt/there", "../../../../home", "/opt/there/ubuntu/file", "home/ubuntu/file"),
        ("opt/there", "/home/ubuntu/file", "/opt/there", "opt/there"),
        ("opt/there", "nowhere", "/../opt/there/new", "opt/nowhere/new"),
    ],
)
def test_links_on_the_way_lead_where_they_lead_on_the_machine(
    machine: LocalMachine, link: str, target: str, path: str, reached: str
) -> None:
    (machine.root / "opt").mkdir()
    (machine.root / link).symlink_to(target)

    assert inside(machine, path) == machine.root / reached
