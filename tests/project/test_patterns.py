"""Regular expressions: strangers choose texts, and must not choose what is looked for in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            value = node.func.value
            if isinstance(value, ast.Name) and value.id == "re":
                yield node


def is_written_here(pattern: ast.expr, names: set[str]) -> bool:
    """Whether a pattern consists of texts and of a module's constants only."""
    if isinstance(pattern, ast.JoinedStr):
        return all(is_written_here(part, names) for part in pattern.values)
    if isinstance(pattern, ast.FormattedValue):
        return not (used(pattern) - names)
    return isinstance(pattern, ast.Constant) or not (used(pattern) - names)


def used(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def constants(module: ast.Module) -> set[str]:
    targets = [t for node in module.body if isinstance(node, ast.Assign) for t in node.targets]
    imported = [n for node in module.body if isinstance(node, ast.ImportFrom) for n in node.names]
    return {name for t in targets for name in used(t)} | {alias.name for alias in imported}


def test_given_the_charms_code_then_each_pattern_is_written_in_it_and_none_is_made_of_a_text():
    for path in SOURCES.rglob("*.py"):
        module = ast.parse(path.read_text())
        known = constants(module)
        for call in calls(module):
            assert isinstance(call.func, ast.Attribute)
            where = f"{path.relative_to(SOURCES)}:{call.lineno}"
            assert call.func.attr != "escape", where
            assert is_written_here(call.args[0], known), where
