"""A command line of `juju`: its command, flags and words, and what to change in it. Pure.

It knows the flags of the few commands that the testbed prepares something for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

_WITH_VALUE = frozenset(
    (
        *("-m", "--model", "-n", "--num-units", "--to", "--base", "--channel", "--revision"),
        *("--config", "--constraints", "--overlay", "--resource", "--bind", "--storage"),
        *("--storage-constraints", "--device", "--attach-storage", "--map-machines"),
        *("--path", "--switch"),
    )
)


@dataclass(frozen=True)
class CommandLine:
    """A parsed command line. `words` are the arguments that are not flags, the command first."""

    words: tuple[str, ...]
    flags: tuple[tuple[str, str | None], ...]

    @property
    def command(self) -> str:
        """The command, as `deploy`."""
        return self.words[0] if self.words else ""

    def value(self, *names: str) -> str | None:
        """Return the last value of a flag that has these names, None if it is not given."""
        found = [value for name, value in self.flags if name in names]
        return found[-1] if found else None

    def without(self, *names: str) -> CommandLine:
        """Return it without these flags."""
        kept = tuple(flag for flag in self.flags if flag[0] not in names)
        return replace(self, flags=kept)

    def adding(self, name: str, value: str) -> CommandLine:
        """Return it with one more flag."""
        return replace(self, flags=(*self.flags, (name, value)))

    def argv(self) -> list[str]:
        """Return it as a list of arguments: command, flags, words."""
        command, *words = self.words
        flags = [part for name, value in self.flags for part in _parts(name, value)]
        return [command, *flags, *words]


def parse(argv: Sequence[str]) -> CommandLine:
    """Return a parsed command line."""
    words: list[str] = []
    flags: list[tuple[str, str | None]] = []
    rest = iter(argv)
    for word in rest:
        if not word.startswith("-"):
            words.append(word)
            continue
        name, equals, value = word.partition("=")
        if equals:
            flags.append((name, value))
        else:
            flags.append((name, next(rest, "") if name in _WITH_VALUE else None))
    return CommandLine(tuple(words), tuple(flags))


def _parts(name: str, value: str | None) -> list[str]:
    return [name] if value is None else [name, value]
