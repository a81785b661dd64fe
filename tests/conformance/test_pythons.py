"""The charm loads on each Python that it is packed for, from the packages it is packed with."""

from __future__ import annotations

import os
import subprocess

import pytest
from tests.conformance import pythons

# Every import statement, because many stand in functions, where they wait until they are needed.
IMPORT_ALL = """
import ast, pathlib

for folder in map(pathlib.Path, ("src", "lib")):
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                exec(ast.unparse(node))
# Their packages do without these, only slower.
import markupsafe._speedups, yaml._yaml
"""
INTERPRETERS = pythons.interpreters()


@pytest.mark.parametrize("version", pythons.versions())
def test_given_a_python_of_the_charms_then_every_module_of_it_loads(version: str):
    if version not in INTERPRETERS:
        pytest.skip(f"no python{version} on the PATH or in ~/.pyenv/versions")
    packages = pythons.folder()
    assert packages.exists(), "install this first: python -m tests.conformance.pythons"

    done = subprocess.run(
        [INTERPRETERS[version], "-B", "-s", "-c", IMPORT_ALL],
        cwd=pythons.ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"src:lib:{packages}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
