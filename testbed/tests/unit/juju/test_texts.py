"""Small grammars: flags, durations, names, assumes."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.juju import durations
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, parse
from testbed.juju.state import assumes, names

FLAGS = [Flag("model", aliases=("m",)), Flag("force", "bool"), Flag("config", "list")]


@pytest.mark.parametrize(
    ("argv", "values", "args"),
    [
        (["a", "--model", "x", "b"], {"model": "x"}, ["a", "b"]),
        (["-m", "x", "-m=y"], {"model": "y"}, []),
        (["--force", "false"], {"force": True}, ["false"]),
        (["--force=false"], {"force": False}, []),
        (["--config", "a=1", "--config=b=2"], {"config": ["a=1", "b=2"]}, []),
        (["a", "--", "--model", "x"], {}, ["a", "--model", "x"]),
        (["-"], {}, ["-"]),
        (["--model="], {"model": ""}, []),
    ],
)
def test_flags_stand_anywhere_before_a_double_dash(
    argv: list[str], values: dict[str, Any], args: list[str]
) -> None:
    parsed = parse(FLAGS, argv)

    assert (parsed.values, parsed.args) == (values, args)


def test_a_command_may_end_its_flags_at_its_first_argument() -> None:
    parsed = parse(FLAGS, ["--force", "unit/0", "ls", "-m", "x"], interspersed=False)

    assert parsed.args == ["unit/0", "ls", "-m", "x"]


@pytest.mark.parametrize(
    ("argv", "refusal"),
    [
        (["--what"], "option provided but not defined: --what"),
        (["-w=1"], "option provided but not defined: -w"),
        (["--model"], "option needs an argument: --model"),
        (["--force=maybe"], 'invalid boolean value "maybe" for --force'),
    ],
)
def test_flags_that_are_not_defined_are_refused(argv: list[str], refusal: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(FLAGS, argv)

    assert str(raised.value) == refusal


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5400), ("1.5s", 1.5), ("250ms", 0.25), ("0s", 0)]
)
def test_durations_are_gos(text: str, seconds: float) -> None:
    assert durations.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5min", "1h 30m"])
def test_a_text_that_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        durations.seconds(text)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (names.is_application, ["a", "my-app", "a1-b2", "k8s"], ["", "A", "a-1", "1a", "a--"]),
        (names.is_unit, ["a/0", "my-app/12"], ["a", "a/", "a/01", "a/leader", "a/0\n"]),
        (names.is_unit_or_leader, ["a/0", "a/leader"], ["a/x", "leader"]),
        (names.is_machine, ["0", "12"], ["", "01", "a", "0/lxd/1"]),
    ],
)
def test_names_have_jujus_forms(check: Any, good: list[str], bad: list[str]) -> None:
    assert [name for name in good if not check(name)] == []
    assert [name for name in bad if check(name)] == []


def test_assumptions_that_a_juju_meets() -> None:
    assumes.check(["juju >= 3.1", "juju >= 3.6.28"], "3.6.28")
    assumes.check(["juju >= 3.6", "juju >= 4.0"], "4.1-beta2")


@pytest.mark.parametrize(
    ("unmet", "reason"),
    [
        (["juju >= 4.0"], "charm requires Juju version >= 4.0.0, model has version 3.6.28"),
        (["juju >= 3.6", "juju >= 3.10"], "charm requires Juju version >= 3.10.0, "),
        (["k8s-api"], 'assumes expression "k8s-api" is outside this testbed'),
    ],
)
def test_assumptions_that_it_does_not_meet_are_named(unmet: list[Any], reason: str) -> None:
    with pytest.raises(JujuError) as raised:
        assumes.check(unmet, "3.6.28")

    assert reason in str(raised.value)
