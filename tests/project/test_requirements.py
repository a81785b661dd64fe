"""What the charm imports, and what its lock is made from."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(folder: Path) -> set[str]:
    """The modules that the files under ``folder`` import, by their whole names."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return names


def test_given_an_import_of_src_or_lib_then_pyproject_names_its_package():
    own = {path.stem for path in (ROOT / "src").iterdir()} | {"charms", "__future__"}
    modules = {name.split(".")[0] for name in imported(ROOT / "src") | imported(ROOT / "lib")}
    foreign = modules - own - sys.stdlib_module_names
    text = (ROOT / "pyproject.toml").read_text()
    [dependencies] = re.findall(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r'^    "([a-z0-9-]+)', dependencies, re.MULTILINE))

    packages = packages_distributions()
    missing = {
        module
        for module in foreign
        if not named & {package.lower().replace("_", "-") for package in packages.get(module, [])}
    }
    assert foreign
    assert missing == set()
