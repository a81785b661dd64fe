"""What a real agent needs of a machine."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from testbed.cluster import unitfiles
from testbed.realjuju import machinefiles


def test_a_unit_file_says_what_systemctl_starts(tmp_path: Path) -> None:
    (tmp_path / "agent.service").write_text(
        "[Unit]\nDescription=an agent\n[Service]\nExecStart=/bin/sh -c 'exec it --all'\n"
    )
    assert unitfiles.exists("agent", str(tmp_path))
    assert not unitfiles.exists("other", str(tmp_path))
    assert unitfiles.command("agent", str(tmp_path)) == ["/bin/sh", "-c", "exec it --all"]


def test_a_unit_file_without_a_command_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "agent.service").write_text("[Service]\nExecStart=\n")
    with pytest.raises(OSError, match="no ExecStart"):
        unitfiles.command("agent", str(tmp_path))


def test_the_operators_keys_open_the_machine(tmp_path: Path) -> None:
    files = machinefiles.machine_files("ssh-ed25519 AAAA operator\n")
    assert files["/etc/ssh/testbed_keys"] == b"ssh-ed25519 AAAA operator\n"
    assert b"AuthorizedKeysFile /etc/ssh/testbed_keys" in files["/etc/ssh/sshd_config"]
    unit = files["/etc/systemd/system/ssh.service"].decode()
    shell, flag, script = shlex.split(unit.partition("=")[2])
    assert (shell, flag) == ("/bin/sh", "-c")
    assert script.endswith("exec /usr/sbin/sshd -D -e")


def snap(folder: Path, *argv: str) -> tuple[str, str]:
    """Run the controller's snap; return what it prints, and what it asks of systemctl."""
    asked = folder / "asked"
    (folder / "snap").write_bytes(machinefiles.mongodb_files(b"mongod")["/usr/bin/snap"])
    (folder / "systemctl").write_text(f'#!/bin/sh\necho "$*" >>{asked}\necho active\n')
    (folder / "systemctl").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(folder / "snap"), *argv],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout, asked.read_text() if asked.exists() else ""


@pytest.mark.parametrize(
    ("argv", "printed", "asked"),
    [
        ("start --enable juju-db.daemon", "active\n", "start snap.juju-db.daemon\n"),
        ("restart juju-db", "active\nRestarted.\n", "restart snap.juju-db.daemon\n"),
        ("services juju-db", "juju-db.daemon enabled active\n", "is-active snap.juju-db.daemon\n"),
        ("set juju-db configpath=/it", "", ""),
    ],
)
def test_juju_finds_its_mongodb_as_a_snap(
    argv: str, printed: str, asked: str, tmp_path: Path
) -> None:
    assert snap(tmp_path, *argv.split()) == (printed, asked)


def test_the_program_is_where_juju_looks_for_the_snaps() -> None:
    files = machinefiles.mongodb_files(b"mongod")
    assert files["/snap/bin/juju-db.mongod"] == b"mongod"
    assert b'"ExecStart=/snap/bin/juju-db.mongod --config' in files["/usr/bin/snap"]
