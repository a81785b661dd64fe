"""What hook tools print."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.juju.errors import ToolError
from testbed.juju.hooktools.call import formatted


@pytest.mark.parametrize(
    ("value", "smart", "json"),
    [
        (True, "True\n", "true\n"),
        ("text", "text\n", '"text"\n'),
        ("", "", '""\n'),
        (None, "", "null\n"),
        (3, "3\n", "3\n"),
        (["a:1", "a:2"], "a:1\na:2\n", '["a:1", "a:2"]\n'),
        ([], "", "[]\n"),
        ({"b": "1", "a": "x"}, 'a: x\nb: "1"\n', '{"b": "1", "a": "x"}\n'),
    ],
)
def test_each_format_is_jujus(value: Any, smart: str, json: str) -> None:
    assert [formatted(value, style) for style in ("smart", "json")] == [smart, json]


def test_another_format_is_refused() -> None:
    with pytest.raises(ToolError, match="unknown format"):
        formatted("x", "tabular")
