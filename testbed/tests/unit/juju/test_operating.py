"""The commands for a running model: status, exec, ssh, scp, debug-log."""

from __future__ import annotations

import subprocess

import pytest

from unit.juju.charms import PRINCIPAL, STARTS, pack
from unit.juju.conftest import Juju

LOGGING = STARTS + 'juju-log "in $JUJU_HOOK_NAME"\necho printed\necho complained >&2\n'


def test_ssh_runs_as_the_machines_user_with_the_operators_streams(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("deploy", "./host.charm")
    juju.settle()
    home = juju.lab.machines[0].root / "home" / "ubuntu"
    (home / "config").write_text("apiVersion: v1\n")
    target = juju.folder / "copy"

    subprocess.run(
        f"juju ssh host/leader -- cat config > {target}",
        shell=True,
        check=True,
        env=juju.environment,
        timeout=30,
    )

    assert target.read_text() == "apiVersion: v1\n"
    assert juju("ssh", "host/0", "cat", stdin="given") == "given"
    assert juju("ssh", "0", "echo $USER") == "ubuntu\n"
    assert juju("ssh", "host/0", "echo $SEEN_USER") == "ubuntu\n"
    assert juju.try_("ssh", "host/0", "exit 5").returncode == 5
    assert "not found" in juju.refused("ssh", "nobody", "ls")


def test_scp_copies_in_both_directions(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("deploy", "./host.charm")
    juju.settle()
    (juju.folder / "here").write_text("text")

    juju("scp", "here", "host/0:there")
    juju("scp", "host/0:there", "back")

    assert (juju.folder / "back").read_text() == "text"
    assert "no such file" in juju.refused("scp", "host/0:nothing", ".")


def test_debug_log_has_each_hooks_output(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, behaviour=LOGGING)
    juju("deploy", "./host.charm")
    juju.settle()

    log = juju("debug-log", "--include", "host/0").splitlines()
    said = [line.split(" ", 2)[2] for line in log if ".install" in line or "in install" in line]
    assert sorted(said) == sorted(
        [
            "INFO unit.host/0.juju-log in install",
            "INFO unit.host/0.install printed",
            "WARNING unit.host/0.install complained",
        ]
    )
    assert len(juju("debug-log", "--limit", "3").splitlines()) == 3


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("expose", "x"), '"juju expose" is outside this testbed\'s subset of juju'),
        (("deploy", "--attach-storage", "x"), "option provided but not defined"),
        (("add-model", "x"), "add-model without --no-switch"),
        (("model-config", "http-proxy=x"), 'the model option "http-proxy" is outside'),
        (("add-unit", "x", "-n", "0"), "positive"),
    ],
)
def test_what_the_stand_in_lacks_exits_with_2(
    juju: Juju, command: tuple[str, ...], said: str
) -> None:
    assert said in juju.refused(*command, code=2)
