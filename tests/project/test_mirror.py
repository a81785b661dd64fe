"""`tests/unit` mirrors `src`: a newcomer finds by a test's path which module it tests."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC, UNIT = ROOT / "src", ROOT / "tests/unit"


def modules() -> set[str]:
    paths = {path.relative_to(SRC).with_suffix("") for path in SRC.rglob("*.py")}
    return {str(path) for path in paths if path.name != "__init__"}


def paths_of(module: str) -> list[Path]:
    """The test file and the folder that have a module's name."""
    path = UNIT / module
    return [path.with_name(f"test_{path.name}.py"), path]


def test_given_a_test_then_its_name_or_its_folder_is_that_of_a_module():
    named = {path for module in modules() for path in paths_of(module)}
    strays = {path for path in UNIT.rglob("test_*.py") if not {path, path.parent} & named}

    # The library stands beside src, and what is in the folder cos itself is tested there.
    assert strays == {UNIT / "lib/test_aws_iam.py", UNIT / "cos/test_cos.py"}


def test_given_the_way_through_the_code_then_each_module_on_it_is_there():
    page = (ROOT / "CONTRIBUTING.md").read_text().partition("## The way through the code\n")[2]
    named = {path for path in re.findall(r"`([a-z_/]+(?:\.py|/))`", page) if path != "src/"}
    tests = {path for path in named if path.startswith("tests/")}

    assert len(named) > 30
    assert [path for path in named - tests if not (SRC / path).exists()] == []
    assert [path for path in tests if not (ROOT / path).exists()] == []
