"""What a real agent needs of a machine."""

from __future__ import annotations

import shlex
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


@pytest.mark.parametrize("name", ["it", "it.service", "/etc/systemd/system/it.service"])
def test_systemctl_takes_a_service_by_each_of_its_names(name: str) -> None:
    assert unitfiles.service_of(name) == "it"


def test_the_operators_keys_open_the_machine(tmp_path: Path) -> None:
    files = machinefiles.machine_files("ssh-ed25519 AAAA operator\n")
    assert files["/etc/ssh/testbed_keys"] == b"ssh-ed25519 AAAA operator\n"
    assert b"AuthorizedKeysFile /etc/ssh/testbed_keys" in files["/etc/ssh/sshd_config"]
    unit = files[f"/etc/systemd/system/{machinefiles.SSH_SERVICE}.service"].decode()
    shell, flag, script = shlex.split(unit.partition("=")[2])
    assert (shell, flag) == ("/bin/sh", "-c")
    assert script.endswith("exec /usr/sbin/sshd -D -e")
