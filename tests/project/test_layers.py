"""What imports what in `src/`: no circle, folders in layers, and pure modules without effects.

And in `tests/`: what tests of the charm share is among the fakes."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC, TESTS, CONTRIBUTING = ROOT / "src", ROOT / "tests", ROOT / "CONTRIBUTING.md"
# What every module may import: none of them knows what the charm is for.
BASICS = {
    *("errors", "labels", "memory", "owner", "related", "statuses", "templating", "text"),
    *("times", "vulnerabilities"),
}
# Which other parts the modules of a folder import, and those of the top level.
LAYERS = {
    "access": set[str](),
    "certificates": set[str](),
    "login_kubeconfig": {"access", "certificates"},
    "config": {"access"},
    "machine": {"certificates"},
    "juju": {"access", "certificates", "config", "machine"},
    "cluster": {"access", "certificates", "juju"},
    "migration": {"cluster", "machine"},
    "cos": {"access", "certificates", "cluster", "juju", "machine"},
    "checks": {"access", "certificates", "cluster", "juju", "machine"},
    "hook": {"certificates", "cluster", "config", "juju", "machine"},
    "access_changes": {"access", "cluster", "hook"},
    "leader": {
        *("access", "access_changes", "certificates", "cluster", "config", "cos", "hook", "juju"),
        "migration",
    },
    "internal_errors": set[str](),
    "reconcile": {"cos", "hook", "internal_errors", "juju", "leader", "machine", "migration"},
    "removal": {"cluster", "hook", "internal_errors", "juju", "machine"},
    "actions": {
        *("access", "access_changes", "checks", "cluster", "hook", "internal_errors", "juju"),
        *("login_kubeconfig", "machine"),
    },
}
# The charm itself imports any of them.
CHARM = {"charm"}
# What reaches out of the process, tells the time, or is different in each run.
EFFECTS = {
    *("asyncio", "http", "httpx2", "lightkube", "logging", "multiprocessing", "ops", "os"),
    *("pathlib", "random", "secrets", "shutil", "signal", "socket", "sqlite3", "subprocess"),
    *("sys", "tempfile", "threading", "time", "urllib.request"),
}
# Of these, a pure module may use what is pure itself: `times` has a clock beside its parsing, and
# `templating` reads files that are part of the charm.
PURE_IN_PARTS = {"times", "templating"}
OPENS_OR_TELLS_THE_TIME = re.compile(
    r"open|(datetime\.datetime|datetime|time|times)\.(now|today|utcnow|time|monotonic)"
)


@cache
def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(SRC.rglob("*.py"))
    }


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text())


def imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Each name that is imported, and for `from a import b` both a and a.b."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.module
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in modules() else node.module


def walk(name: str, *, types: bool) -> Iterator[ast.AST]:
    """Every part of a module; without ``types``, not what is under TYPE_CHECKING."""
    nodes: list[ast.AST] = [tree(name)]
    while nodes:
        node = nodes.pop()
        yield node
        if types or not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            nodes += ast.iter_child_nodes(node)


def imports() -> dict[str, set[str]]:
    """Which modules of src each of them imports, in functions and under TYPE_CHECKING too."""
    return {
        name: {each for each in imported(walk(name, types=True)) if each in modules()} - {name}
        for name in modules()
    }


def part(name: str) -> str:
    """The folder of the top level in which a module is, or its own name."""
    return name.partition(".")[0]


def graph(of: Callable[[str], str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, others in imports().items():
        found[of(name)] |= {of(other) for other in others} - {of(name)}
    return found


@pytest.mark.parametrize("of", [str, part])
def test_given_all_imports_then_nothing_imports_what_imports_it(of: Callable[[str], str]):
    TopologicalSorter(graph(of)).prepare()  # raises CycleError, which names the circle


def test_given_a_folder_then_it_imports_the_layers_below_it_only():
    found = graph(part)

    assert {name: found[name] - BASICS for name in LAYERS} == LAYERS
    assert {name: found[name] - BASICS for name in BASICS} == {name: set() for name in BASICS}
    assert set(map(part, modules())) == {*BASICS, *LAYERS, *CHARM}


def test_given_the_table_for_newcomers_then_it_names_each_part_below_what_that_uses():
    _, _, table = CONTRIBUTING.read_text().partition("\n| folder of `src/` |")
    found, above = graph(part), set[str]()
    for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        names = set[str](re.findall(r"`(\w+)[./]", row))
        above |= names
        assert set[str]().union(*(found[name] for name in names)) <= above

    assert above == {*BASICS, *LAYERS, *CHARM}


def is_pure(name: str) -> bool:
    return "Pure." in (ast.get_docstring(tree(name)) or "")


def used(name: str) -> set[str]:
    """A module, and all that it uses when it runs."""
    found, left = set[str](), [name]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            others = set(imported(walk(each, types=False)))
            left += [other for other in others if other in modules()]
    return found


@pytest.mark.parametrize("name", [name for name in modules() if is_pure(name)])
def test_given_a_module_that_says_pure_then_nothing_that_it_uses_has_effects(name: str):
    effects = {
        f"{each} imports {other}"
        for each in used(name) - PURE_IN_PARTS
        for other in imported(walk(each, types=False))
        if {other, part(other)} & EFFECTS and other not in modules()
    }
    calls = {
        ast.unparse(node)
        for node in walk(name, types=False)
        if isinstance(node, ast.Call) and OPENS_OR_TELLS_THE_TIME.fullmatch(ast.unparse(node.func))
    }

    assert not effects
    assert not calls


def test_given_the_modules_then_some_say_pure():
    assert is_pure("access.arn")
    assert not is_pure("juju.peers")


def test_given_a_test_of_the_charm_then_it_shares_fakes_and_lives_alone_and_nothing_private():
    line = r"^(?:from|import) (?:tests(?:\.| import )(?!fakes|lives)|(?:ops|scenario)\b.*[. ]_).*"
    unwanted = {
        str(path.relative_to(TESTS)): lines
        for folder in ("fakes", "scenarios", "unit")
        for path in (TESTS / folder).rglob("*.py")
        if (lines := re.findall(line, path.read_text(), re.MULTILINE))
    }

    assert unwanted == {}
