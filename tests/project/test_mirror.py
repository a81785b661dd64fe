"""`tests/unit` mirrors `src`: a newcomer finds the tests of a module by its path."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC, UNIT = ROOT / "src", ROOT / "tests/unit"
KINDS = ("active", "blocked", "entry", "mapping", "options", "waiting")
# Modules that no test calls alone, and the tests in which hooks and actions run through them.
ELSEWHERE = {
    "access/declaration/formats": "unit/access/declaration/declared/test_declared.py",
    "access/declaration/preview": "unit/actions/test_plan_mappings.py",
    "access/explanation": "unit/actions/explain_access",
    "access/mapping": "unit/access/mappings",
    "access/rbac": "unit/actions/test_list_mappings.py",
    "access/rights": "unit/access/declaration/test_rights.py",
    "certificates/keypair": "unit/certificates/pem",
    "charm": "scenarios",
    "cluster/api": "scenarios/test_never_in_error.py",
    "cluster/bindings": "unit/access/test_administrators.py",
    "cluster/contents": "unit/juju/test_pull_secret.py",
    "cluster/image_pulls": "unit/cluster/pods/test_rollout.py",
    "cluster/kubeconfig": "scenarios/test_kubeconfig_is_not_quoted.py",
    "cluster/login_record": "unit/leader/test_logins.py",
    "cluster/references": "unit/cluster/test_manifests.py",
    "cluster/teardown": "unit/test_removal.py",
    "cluster/version": "unit/actions/test_check.py",
    "errors": "scenarios/test_status_lines.py",
    "hook": "scenarios",
    "juju/memory": "unit/leader/test_logins.py",
    "juju/leaving": "unit/test_removal.py",
    "related": "scenarios/test_hook_tools.py",
    "labels": "unit/cluster/test_manifests.py",
    "leader/report": "unit/leader/access",
    "reconcile": "scenarios",
    "templating": "unit/cluster/test_manifests.py",
    **dict.fromkeys(
        (f"statuses/{name}" for name in KINDS),
        "project/test_statuses.py",
    ),
}


def modules() -> set[str]:
    paths = {path.relative_to(SRC).with_suffix("") for path in SRC.rglob("*.py")}
    return {str(path) for path in paths if path.name != "__init__"}


def paths_of(module: str) -> list[Path]:
    """The test file and the folder that have a module's name."""
    path = UNIT / module
    return [path.with_name(f"test_{path.name}.py"), path]


def test_given_a_module_then_its_tests_have_its_name_or_stand_where_the_table_says():
    without = {each for each in modules() if not any(path.exists() for path in paths_of(each))}

    assert without == set(ELSEWHERE)
    assert [path for path in ELSEWHERE.values() if not (ROOT / "tests" / path).exists()] == []


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
