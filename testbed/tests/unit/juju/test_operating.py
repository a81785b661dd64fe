"""The commands for a running model: status, exec, ssh, scp, debug-log."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest

from unit.juju.charms import PRINCIPAL, STARTS, pack
from unit.juju.conftest import BIN, Juju

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
    assert juju("ssh", "root@host/0", "echo $HOME; echo $SEEN_USER") == "/root\nroot\n"
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


def test_debug_log_follows_until_it_is_interrupted(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, behaviour=LOGGING)
    juju("deploy", "./host.charm")
    juju.settle()
    command = [str(BIN / "juju"), "debug-log", "--limit", "2"]
    here, terminal = pty.openpty()

    with subprocess.Popen(command, stdout=terminal, env=juju.environment) as following:
        os.close(terminal)
        with open(here) as shown:
            first = [shown.readline() for _ in range(2)]
            juju.control("trigger", "host/0", "update-status")
            assert any("in update-status" in line for line in iter(shown.readline, ""))
            following.terminate()

    assert all("start" in line for line in first)


def test_the_environment_names_the_model_as_the_flag_does(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("add-model", "--no-switch", "other")
    juju("deploy", "./host.charm", JUJU_MODEL="other")

    assert list(json.loads(juju("status", "--format=json", "-m", "other"))["applications"])
    assert not juju.status()["applications"]
    assert "not found" in juju.try_("status", JUJU_MODEL="nothing").stderr
    for name in ("testbed:other", "admin/other", "testbed:admin/other"):
        assert "host" in juju("status", JUJU_MODEL=name)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("expose", "x"), '"juju expose" is outside this testbed\'s subset of juju'),
        (("deploy", "--attach-storage", "x"), "option provided but not defined"),
        (("model-config", "http-proxy=x"), 'the model option "http-proxy" is outside'),
        (("add-unit", "x", "-n", "0"), "positive"),
    ],
)
def test_what_the_stand_in_lacks_exits_with_2(
    juju: Juju, command: tuple[str, ...], said: str
) -> None:
    assert said in juju.refused(*command, code=2)


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("./host.charm", "--help")])
def test_commands_of_juju_are_helpful(juju: Juju, words: tuple[str, ...]) -> None:
    assert juju("deploy", *words).startswith("Usage: juju deploy")
