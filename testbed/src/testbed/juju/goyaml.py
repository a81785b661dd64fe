"""YAML as Juju writes it, with Go's library. Pure."""

from __future__ import annotations

from typing import Any

import yaml

_TEXT = "tag:yaml.org,2002:str"


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines in lines, where YAML can, and quotes what is no text."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    is_text = dumper.resolve(yaml.ScalarNode, text, (True, False)) == _TEXT
    style = "|" if "\n" in text else None if is_text else '"'
    return dumper.represent_scalar(_TEXT, text, style=style)


_Dumper.add_representer(str, _text)


def dump(value: Any, *, sort_keys: bool = False) -> str:
    """Return a value as YAML, as Juju writes it."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True)
    return text.removesuffix("...\n")  # PyYAML ends a bare scalar with it
