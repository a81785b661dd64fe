"""What hook tools answer to `--help`. charmhelpers asks `relation-set` before each use."""

from __future__ import annotations

import pytest

from testbed.juju.hooktools import SPECS
from testbed.juju.hooktools.usage import usage
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju


@pytest.mark.parametrize("tool", SPECS)
def test_every_tool_has_a_usage_text_with_its_options(tool: str) -> None:
    text = usage(tool, SPECS[tool])

    assert text.startswith(f"Usage: {tool}")
    assert [flag.name for flag in SPECS[tool].flags if f"-{flag.name}" not in text] == []


def test_options_are_shown_as_juju_shows_them() -> None:
    assert usage("relation-set", SPECS["relation-set"]) == (
        "Usage: relation-set [options] key=value [key=value ...]\n"
        "\n"
        "Summary:\n"
        "Set relation data.\n"
        "\n"
        "Options:\n"
        "--app  (= false)\n"
        "--file  (= )\n"
        "-r, --relation  (= )\n"
    )


def test_help_is_answered_in_any_hook_and_does_nothing_else(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("deploy", "./host.charm")
    juju.settle()
    workload = juju.status()["applications"]["host"]["units"]["host/0"]["workload-status"]

    asked = [
        juju("exec", "--unit", "host/0", "--", *line.split())
        for line in ("relation-set --help", "status-set -h blocked", "action-get --help")
    ]

    assert [answer.partition("\n")[0] for answer in asked] == [
        "Usage: relation-set [options] key=value [key=value ...]",
        "Usage: status-set [options] <maintenance | blocked | waiting | active> [message]",
        "Usage: action-get [options] [<key>[.<key>.<key>...]]",
    ]
    assert "--file" in asked[0]
    units = juju.status()["applications"]["host"]["units"]
    assert units["host/0"]["workload-status"] == workload


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("./host.charm", "--help")])
def test_commands_of_juju_are_helpful_too(juju: Juju, words: tuple[str, ...]) -> None:
    assert juju("deploy", *words).startswith("Usage: juju deploy")
