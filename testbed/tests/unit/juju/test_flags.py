"""The arguments of commands and hook tools."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.juju.errors import UsageError
from testbed.juju.flags import Flag, parse

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
    ],
)
def test_flags_stand_anywhere_before_a_double_dash(
    argv: list[str], values: dict[str, Any], args: list[str]
) -> None:
    parsed = parse(FLAGS, argv)

    assert (parsed.values, parsed.args) == (values, args)


@pytest.mark.parametrize(
    ("argv", "refusal"),
    [
        (["--what"], "option provided but not defined: --what"),
        (["--model"], "option needs an argument: --model"),
        (["--force=maybe"], 'invalid boolean value "maybe" for --force'),
    ],
)
def test_flags_that_are_not_defined_are_refused(argv: list[str], refusal: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(FLAGS, argv)

    assert str(raised.value) == refusal
