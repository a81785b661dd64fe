"""The catalogue of status texts, and the code that shows them, agree."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import reference

from statuses.text import Text

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
FILES = [path for path in sorted(SRC.rglob("*.py")) if path.parent.name != "statuses"]
# Their errors are the results of actions, and never a status.
OF_ACTIONS = ("actions/", "checks/", "access/grants.py", "cluster/bindings.py")
ERRORS = {"Blocked", "Waiting", "WaitingForKubeconfig"}
# What hands on a text that stands in the catalogue, or that a test of its own compares with it.
HANDED_ON = {
    "certificates/issued.py: self.refusal",
    "certificates/issued.py: self.wait",
    "cluster/errors.py: status",
    "config.py: str(error)",
    "internal_errors.py: tell(error, unit)",
    "juju/control_plane.py: command",
    "leader/steps.py: references.foreign(mark)",
}
TEXTS: dict[tuple[str, str], Text] = {
    (module.__name__, name): text
    for _, _, modules in reference.KINDS
    for module in modules
    for name, text in reference.texts_of(module).items()
}
BY_THE_SHELL = {
    ("statuses.blocked", name) for name in ("NO_PYTHON", "PYTHON_TOO_NEW", "PYTHON_TOO_OLD")
}


def imported(tree: ast.Module) -> dict[str, str]:
    """Return the modules of the catalogue that a module imports, by their names in it."""
    return {
        alias.asname or alias.name: f"statuses.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "statuses"
        for alias in node.names
    }


def text_of(node: ast.AST, modules: dict[str, str]) -> tuple[str, str] | None:
    """Return the module and the name of the text that an expression names, if it names one."""
    match node:
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in modules:
            return modules[module], name
        case _:
            return None


def named() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for path in sorted(SRC.rglob("*.py")):
        tree = ast.parse(path.read_text())
        modules = imported(tree)
        found |= {name for node in ast.walk(tree) if (name := text_of(node, modules))}
    return found


def calls() -> Iterator[tuple[str, tuple[str, str], ast.Call]]:
    """Yield each call of a text: where it is, which text it is, and the call."""
    for path in FILES:
        tree = ast.parse(path.read_text())
        modules = imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (name := text_of(node.func, modules)):
                yield f"{path.relative_to(SRC)}:{node.lineno}", name, node


def raised() -> Iterator[str]:
    """Yield each text of an error that is not in the catalogue: where it is, and what it says."""
    for path in FILES:
        place = str(path.relative_to(SRC))
        if place.startswith(OF_ACTIONS):
            continue
        tree = ast.parse(path.read_text())
        modules = imported(tree)
        filled = {id(node) for node in ast.walk(tree) if is_filled(node, modules)}
        local = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and id(node.value) in filled
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ERRORS:
                given = node.args[0]
                is_local = isinstance(given, ast.Name) and given.id in local
                if id(given) not in filled and not is_local:
                    yield f"{place}: {ast.unparse(given)}"


def is_filled(node: ast.AST, modules: dict[str, str]) -> bool:
    return isinstance(node, ast.Call) and text_of(node.func, modules) is not None


def test_given_an_error_that_becomes_a_status_then_its_text_is_in_the_catalogue():
    assert set(raised()) == HANDED_ON


def test_given_a_text_of_the_catalogue_then_the_code_shows_it():
    shown = [TEXTS[name] for name in {*named(), *BY_THE_SHELL} & set(TEXTS)]

    assert [name for name, text in TEXTS.items() if text not in shown] == []


def test_given_a_text_that_the_code_shows_then_its_fields_are_filled_in():
    wrong = [
        f"{place} {name}"
        for place, name, call in calls()
        if {keyword.arg for keyword in call.keywords} != fields(TEXTS[name].text)
    ]

    assert wrong == []


def fields(text: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("name", TEXTS, ids=".".join)
def test_given_a_text_then_it_has_a_meaning_and_a_remedy(name: tuple[str, str]):
    text = TEXTS[name]

    assert text.text
    assert text.means.endswith(".")
    assert text.do.endswith((".", ".)", "`."))


def test_given_a_machine_without_a_known_python_then_its_status_is_in_the_catalogue():
    shell = re.findall(r'problem="(.*)"', (SRC / "check-python.sh").read_text())
    blanks = {re.sub(r"\$\{[^}]*\}|\$\w+", "<>", line) for line in shell}

    assert blanks == {re.sub(r"\{\w+\}", "<>", TEXTS[name].text) for name in BY_THE_SHELL}
