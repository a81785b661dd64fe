"""The argument grammar of Juju's commands and hook tools (Go's gnuflag). Pure.

Flags may stand between positional arguments, unless a command says otherwise. `--` ends the
flags. `--flag value` and `--flag=value` are the same. A boolean flag takes a value only with `=`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from testbed.juju.errors import HelpRequested, UsageError

_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}


@dataclass(frozen=True)
class Flag:
    """One flag: `kind` is `bool`, `str` (the last value counts) or `list` (all values count)."""

    name: str
    kind: str = "str"
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """The flags that were given, by their main name, and the positional arguments."""

    values: Mapping[str, str | bool | list[str]]
    args: list[str]

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name, default)
        assert isinstance(value, str)
        return value

    def on(self, name: str) -> bool:
        return self.values.get(name) is True

    def all(self, name: str) -> list[str]:
        value = self.values.get(name, [])
        assert isinstance(value, list)
        return value


@dataclass
class _State:
    values: dict[str, str | bool | list[str]] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)


def parse(flags: Sequence[Flag], argv: Sequence[str], *, interspersed: bool = True) -> Parsed:
    """Split `argv` into flags and positional arguments.

    Raise UsageError, in Juju's words, for a flag that is not defined or that lacks a value.
    Raise HelpRequested for `--help` and `-h`.
    """
    known = {name: flag for flag in flags for name in (flag.name, *flag.aliases)}
    state = _State()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            state.args += rest
            break
        if not word.startswith("-") or word == "-":
            state.args.append(word)
            if not interspersed:
                state.args += rest
                break
            continue
        _take(known, word, rest, state)
    return Parsed(state.values, state.args)


def _take(known: Mapping[str, Flag], word: str, rest: list[str], state: _State) -> None:
    name, has_value, value = word.lstrip("-").partition("=")
    flag = known.get(name)
    if flag is None:
        if name in ("help", "h"):
            raise HelpRequested
        dashes = "--" if word.startswith("--") else "-"
        raise UsageError(f"option provided but not defined: {dashes}{name}")
    if flag.kind == "bool":
        state.values[flag.name] = _boolean(value, name) if has_value else True
        return
    if not has_value:
        if not rest:
            raise UsageError(f"option needs an argument: --{name}")
        value = rest.pop(0)
    if flag.kind == "list":
        earlier = state.values.setdefault(flag.name, [])
        assert isinstance(earlier, list)
        earlier.append(value)
    else:
        state.values[flag.name] = value


def _boolean(value: str, name: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise UsageError(f'invalid boolean value "{value}" for --{name}')
