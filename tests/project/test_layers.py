"""What imports what in `src/`, and what pure modules may use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
_, _, WAY = (ROOT / "CONTRIBUTING.md").read_text().partition("## The way through the code\n")
MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SRC.rglob("*.py"))
}
# What reaches out of the process, tells the time, or is different in each run.
EFFECTS = {
    *("asyncio", "http", "httpx2", "lightkube", "logging", "multiprocessing", "ops", "os"),
    *("pathlib", "random", "secrets", "shutil", "signal", "socket", "sqlite3", "subprocess"),
    *("sys", "tempfile", "threading", "time", "urllib.request"),
}
# Of these, a pure module may use what is pure itself: `times` has a clock beside its parsing,
# `errors` a log of bugs beside its exceptions, and `templating` reads files of the charm.
PURE_IN_PARTS = {"times", "errors", "templating"}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


def is_pure(name: str) -> bool:
    return "Pure." in (ast.get_docstring(tree(name)) or "")


def walk(name: str, *, types: bool = False) -> Iterator[ast.AST]:
    """Every part of a module; without ``types``, not what is under TYPE_CHECKING."""
    nodes: list[ast.AST] = [tree(name)]
    while nodes:
        node = nodes.pop()
        yield node
        if types or not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            nodes += ast.iter_child_nodes(node)


def imported(name: str, *, types: bool = False) -> set[str]:
    """What a module imports, in functions too; for `from a import b` it is a.b, if that is one."""
    found = set[str]()
    for node in walk(name, types=types):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            both = [(node.module, f"{node.module}.{alias.name}") for alias in node.names]
            found |= {longer if longer in MODULES else module for module, longer in both}
    return found - {name}


def part(name: str) -> str:
    return name.partition(".")[0]


def test_given_all_imports_then_no_module_imports_what_imports_it():
    graph = {name: imported(name, types=True) & MODULES.keys() for name in MODULES}

    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_given_the_table_for_newcomers_then_each_part_imports_what_stands_above_it():
    rows = re.findall(r"^\| (`.*?) \|", WAY, re.MULTILINE)
    above = set[str]()
    for row in rows:
        names = set[str](re.findall(r"`(\w+)[./]", row))
        above |= names
        for name in MODULES:
            if part(name) in names:
                used = imported(name, types=True) & MODULES.keys()
                assert set(map(part, used)) <= above, name

    assert above == set(map(part, MODULES))


@pytest.mark.parametrize("name", [*filter(is_pure, MODULES)])
def test_given_a_module_that_says_pure_then_nothing_that_it_uses_has_effects(name: str):
    used, left = set[str](), {name}
    while left:
        used.add(each := left.pop())
        left |= (imported(each) & MODULES.keys()) - used
    effects = {
        f"{each} imports {other}"
        for each in used - PURE_IN_PARTS
        for other in imported(each)
        if {other, part(other)} & EFFECTS and other not in MODULES
    }

    assert not effects
