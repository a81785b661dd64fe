"""What hook tools have in common: their arguments, and the formats that they print."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from testbed.juju import goyaml
from testbed.juju.errors import HelpRequested, ToolError, UsageError
from testbed.juju.flags import Flag, Parsed, parse
from testbed.juju.hooktools.context import Context
from testbed.juju.state.relation import Relation

FORMAT = Flag("format")
RELATION = Flag("relation", aliases=("r",))
APP = Flag("app", "bool")
FILE = Flag("file")


@dataclass(frozen=True)
class Call:
    """One call of a hook tool: its context, its arguments, and the files that these name."""

    context: Context
    parsed: Parsed
    files: Mapping[str, bytes]

    @property
    def args(self) -> list[str]:
        return self.parsed.args

    def argument(self, number: int, default: str = "") -> str:
        return self.args[number] if len(self.args) > number else default

    def at_most(self, number: int) -> None:
        """Raise ToolError if there are more arguments than a tool takes."""
        if rest := self.args[number:]:
            raise ToolError(f"ERROR unrecognized args: [{' '.join(map(json.dumps, rest))}]", 2)

    def relation(self) -> Relation:
        return self.context.relation(self.parsed.text("relation"))

    def pairs(self) -> dict[str, str]:
        """Return the document that `--file` names, changed by `key=value` arguments."""
        pairs: dict[str, str] = {}
        if path := self.parsed.text("file"):
            document = yaml.safe_load(self.files[path].decode()) or {}
            if not isinstance(document, dict):
                raise ToolError("ERROR expected a map of strings in the file")
            pairs.update({str(key): _text(value) for key, value in document.items()})
        for word in self.args:
            key, assigned, value = word.partition("=")
            if not assigned or not key:
                raise ToolError(f'ERROR expected "key=value", got "{word}"', 2)
            pairs[key] = value
        return pairs


Tool = Callable[[Call], Any]


@dataclass(frozen=True)
class Spec:
    """A tool: its flags, and what it does.

    With `output` it takes --format, and what it returns is printed so; without, a text is printed
    as it is. None prints nothing.
    """

    run: Tool
    flags: tuple[Flag, ...] = ()
    output: bool = False
    action_only: bool = False

    def all_flags(self) -> tuple[Flag, ...]:
        return (*self.flags, FORMAT) if self.output else self.flags


def invoke(spec: Spec, context: Context, args: list[str], files: Mapping[str, bytes]) -> str:
    """Run a tool and return what it prints. Raise ToolError."""
    try:
        parsed = parse(spec.all_flags(), args)
    except UsageError as error:
        raise ToolError(f"ERROR {error}", 2) from error
    except HelpRequested:
        return _usage(spec)
    if spec.action_only and context.action is None:
        raise ToolError("ERROR not running an action")
    value = spec.run(Call(context, parsed, files))
    if spec.output:
        return formatted(value, parsed.text("format", "smart"))
    return value if isinstance(value, str) else ""


def _usage(spec: Spec) -> str:
    """Return what `--help` prints: charms look there for a flag that older versions lack."""
    flags = (
        ("-" if len(name) == 1 else "--") + name
        for flag in spec.all_flags()
        for name in (*flag.aliases, flag.name)
    )
    return "".join(f"{line}\n" for line in ("Options:", *flags))


def formatted(value: Any, style: str) -> str:
    """Return a value in a format of Juju's tools: `smart` or `json`."""
    if style == "json":
        return json.dumps(value) + "\n"
    if style == "smart":
        return _smart(value)
    raise ToolError(f'ERROR invalid value "{style}" for option --format: unknown format', 2)


def _smart(value: Any) -> str:
    """Return texts without quotes, lists one item a line, True and False; the rest as YAML."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"{value}\n"
    if isinstance(value, str | list):
        text = value if isinstance(value, str) else "\n".join(map(str, value))
        return f"{text}\n" if text else ""
    return goyaml.dump(value, sort_keys=True)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
