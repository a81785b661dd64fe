"""What hook tools print."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.juju.errors import ToolError
from testbed.juju.hooktools.call import formatted


@pytest.mark.parametrize(
    ("value", "smart", "yaml", "json"),
    [
        (True, "True\n", "true\n", "true\n"),
        ("text", "text\n", "text\n", '"text"\n'),
        ("", "", "''\n", '""\n'),
        (None, "", "null\n", "null\n"),
        (3, "3\n", "3\n", "3\n"),
        (["a:1", "a:2"], "a:1\na:2\n", "- a:1\n- a:2\n", '["a:1", "a:2"]\n'),
        ([], "", "[]\n", "[]\n"),
        ({"b": "1", "a": "x"}, "a: x\nb: '1'\n", "a: x\nb: '1'\n", '{"b": "1", "a": "x"}\n'),
    ],
)
def test_each_format_is_jujus(value: Any, smart: str, yaml: str, json: str) -> None:
    assert [formatted(value, style) for style in ("smart", "yaml", "json")] == [smart, yaml, json]


def test_another_format_is_refused() -> None:
    with pytest.raises(ToolError, match="unknown format"):
        formatted("x", "tabular")
