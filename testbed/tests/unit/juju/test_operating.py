"""The commands for a running model: status, exec, ssh, scp, debug-log."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator

import pytest

from unit.juju.charms import AUTHORITY, PRINCIPAL, STARTS, SUBORDINATE, pack
from unit.juju.conftest import BIN, Juju, a_controller

LOGGING = STARTS + 'juju-log "in $JUJU_HOOK_NAME"\necho printed\necho complained >&2\n'


@pytest.fixture(scope="module")
def hosts() -> Iterator[Juju]:
    """Yield two hosts with a rider each, and an authority. No test changes them."""
    with a_controller() as juju:
        _deploy(juju)
        yield juju


def _deploy(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    pack(juju.folder, SUBORDINATE)
    pack(juju.folder, AUTHORITY)
    juju("deploy", "./host.charm", "-n", "2")
    juju("deploy", "./rider.charm")
    juju("deploy", "./authority.charm")
    juju("integrate", "rider", "host")
    juju.settle()


def test_status_shows_what_the_selectors_name_and_what_is_beside_it(hosts: Juju) -> None:
    rider = next(iter(hosts.status()["applications"]["host"]["units"]["host/1"]["subordinates"]))
    expected = {
        ("rider",): (["host", "rider"], ["host/0", "host/1"], ["0", "1"]),
        ("host",): (["host", "rider"], ["host/0", "host/1"], ["0", "1"]),
        (rider,): (["host", "rider"], ["host/1"], ["1"]),
        ("host/0",): (["host", "rider"], ["host/0"], ["0"]),
        ("2",): (["authority"], [], ["2"]),
        ("auth*",): (["authority"], [], ["2"]),
        ("nothing",): ([], [], []),
    }

    for selectors, (applications, principals, machines) in expected.items():
        status = hosts.status(*selectors)
        assert sorted(status["applications"]) == applications, selectors
        units = status["applications"].get("host", {}).get("units", {})
        assert (list(units), sorted(status["machines"])) == (principals, machines), selectors
    assert "Nothing matched" in hosts.try_("status", "nothing").stderr


def test_status_for_people_has_jujus_tables(hosts: Juju) -> None:
    text = hosts("status", "--relations")

    titles = [line.split()[0] for line in text.splitlines() if line and line[0].isupper()]
    assert titles == ["Model", "App", "Unit", "Machine", "Integration"]
    lines = [line.split() for line in text.splitlines()]
    assert ["host", "active", "2", "host", "0", "no"] in lines
    assert any(line[:3] == ["host/0*", "active", "idle"] for line in lines)
    assert ["host:things", "rider:things", "things", "subordinate"] in lines


def test_exec_prints_the_output_of_a_command_and_fails_with_it(hosts: Juju) -> None:
    assert hosts("exec", "--unit", "host/0", "--", "echo", "two words") == "two words\n"
    assert hosts("exec", "--unit", "host/leader", "is-leader") == "True\n"
    assert "host/1:\nhost/1" in hosts(
        "exec", "--application", "host", "--", "echo $JUJU_UNIT_NAME"
    )
    report = json.loads(hosts("exec", "--format=json", "--unit", "host/0", "--", "echo out"))
    assert report["host/0"]["results"] == {"return-code": 0, "stdout": "out\n"}
    assert "return code 3" in hosts.refused("exec", "--unit", "host/0", "--", "exit 3")
    assert "must specify a target" in hosts.refused("exec", "ls", code=2)
    assert 'unit "host/9" not found' in hosts.refused("exec", "--unit", "host/9", "ls")


def test_ssh_runs_as_the_machines_user_with_the_operators_streams(hosts: Juju) -> None:
    home = hosts.lab.machines[0].root / "home" / "ubuntu"
    (home / "config").write_text("apiVersion: v1\n")
    target = hosts.folder / "copy"

    subprocess.run(
        f"juju ssh host/leader -- cat config > {target}",
        shell=True,
        check=True,
        env=hosts.environment,
        timeout=30,
    )

    assert target.read_text() == "apiVersion: v1\n"
    assert hosts("ssh", "host/0", "cat", stdin="given") == "given"
    assert hosts("ssh", "0", "echo $USER") == "ubuntu\n"
    assert hosts("ssh", "root@host/0", "echo $HOME; echo $SEEN_USER") == "/root\nroot\n"
    assert hosts.try_("ssh", "host/0", "exit 5").returncode == 5
    assert "not found" in hosts.refused("ssh", "nobody", "ls")


def test_scp_copies_in_both_directions(hosts: Juju) -> None:
    (hosts.folder / "here").write_text("text")

    hosts("scp", "here", "host/0:there")
    hosts("scp", "host/0:there", "back")

    assert (hosts.folder / "back").read_text() == "text"
    assert "no such file" in hosts.refused("scp", "host/0:nothing", ".")


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
    assert juju("switch").strip() == "testbed:admin/default"
    assert "cannot switch" in juju.try_("switch", "other", JUJU_MODEL="default").stderr
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
