"""What imports what in the testbed: neither modules nor folders form a cycle."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
FOLDERS = 3  # deeper than testbed.juju.cli is all one folder


@cache
def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__"): path
        for path in SOURCES.rglob("*.py")
    }


def imports() -> dict[str, set[str]]:
    """Return which modules each module imports, also under TYPE_CHECKING and in functions."""
    known = modules()
    return {
        name: {found for found in _imported(ast.parse(path.read_text())) if found in known}
        for name, path in known.items()
    }


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module(name: str) -> str:
    return name


def folder(name: str) -> str:
    """Return the package that a module belongs to; a module of the top level is on its own."""
    path = modules()[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return name if package == "testbed" else ".".join(package.split(".")[:FOLDERS])


@pytest.mark.parametrize("part", [module, folder])
def test_nothing_imports_what_imports_it(part: Callable[[str], str]) -> None:
    graph: dict[str, set[str]] = {}
    for importer, imported in imports().items():
        others = {part(name) for name in imported} - {part(importer)}
        graph.setdefault(part(importer), set()).update(others)

    assert part("testbed.juju.controller.controller") in graph[part("testbed.juju.cli.server")]
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle
