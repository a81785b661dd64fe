"""How heavy the charm's code is: how much there is, and how much of it a hook runs through.

    scripts/with-tools scripts/check weight

prints a table. The hooks run on the unit tests' Juju and Kubernetes, without a network. A hook
runs through a file if a function of it is called, and changes file with each call into another.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tests.fakes import at_rest
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import HOOK_TOOLS, Easyrsa, Model
from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
ONE_MAPPING = (
    "[{arn: 'arn:aws:iam::111122223333:role/Dev', access: [{role: edit, namespaces: [default]}]}]"
)


@dataclass
class Walk:
    """What a hook runs through: its functions, and how often it changes from a file to another."""

    functions: set[tuple[str, str]] = field(default_factory=set)
    changes: int = 0
    _last: str = ""

    @property
    def files(self) -> int:
        """How many files it runs through."""
        return len({file for file, _ in self.functions})

    def step(self, frame: FrameType, event: str, _: Any) -> None:
        """Take note of a call, as `sys.setprofile` tells it."""
        file = frame.f_code.co_filename
        if event != "call" or not file.startswith(str(SRC)) or "<" in frame.f_code.co_name:
            return
        self.functions.add((file, f"{frame.f_code.co_name} {frame.f_code.co_firstlineno}"))
        self.changes += file != self._last
        self._last = file


def walk(run: Callable[[], object]) -> Walk:
    """Return what ``run`` runs through."""
    found = Walk()
    sys.setprofile(found.step)
    try:
        run()
    finally:
        sys.setprofile(None)
    return found


def hooks() -> tuple[Walk, Walk]:
    """Return a settled hook of the leader, and the one that declares a mapping with a role."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        api = FakeCluster(Clock())
        api.install(patch)
        HOOK_TOOLS.install(patch)
        model = Model(Easyrsa(root()), [Files(Path(folder))])
        at_rest.settle(model, api)
        api.add_role("edit", "get")
        settled = walk(model.hook)
        model.config = {"mappings": ONE_MAPPING}
        return settled, walk(lambda: model.hook(model.on.config_changed()))


def imports(module: Path) -> set[str]:
    """Return the modules of `src` that a module imports, also inside of its functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found & modules().keys()


def modules() -> dict[str, Path]:
    """Return every module of `src`, by its name."""
    return {
        ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
        for path in SRC.rglob("*.py")
    }


def reached(name: str) -> set[str]:
    """Return every module of `src` that a module imports, directly or by others."""
    known, left = modules(), {name}
    found: set[str] = set()
    while left:
        new = imports(known[left.pop()]) - found
        found |= new
        left |= new
    return found


def lines(folder: Path) -> int:
    """Return how many lines the Python files below a folder have."""
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))


def main() -> None:
    """Print the table."""
    settled, declared = hooks()
    steps = "leader"
    direct = imports(modules()[steps])
    functions = sum(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for path in SRC.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
    )
    tests = sum(lines(ROOT / "tests" / name) for name in ("unit", "scenarios", "project", "fakes"))
    rows = {
        "lines / modules / functions of src": (lines(SRC), len(modules()), functions),
        "lines of unit tests, scenarios, project's tests and fakes": (tests,),
        "settled hook of the leader: files / functions": (settled.files, len(settled.functions)),
        "config-changed with a mapping and a role: files / functions / changes of file": (
            *(declared.files, len(declared.functions)),
            declared.changes,
        ),
        "modules that leader imports: directly / in all": (len(direct), len(reached(steps))),
    }
    for what, figures in rows.items():
        print(f"{what:80} {' / '.join(f'{figure:,}' for figure in figures)}")
    for folder in sorted(path for path in SRC.iterdir() if path.is_dir()):
        if count := lines(folder):
            print(f"  {folder.name:20} {count:6,}")


if __name__ == "__main__":
    main()
