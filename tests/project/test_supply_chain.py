"""What comes in from others, and what goes out to Charmhub: who may do what on the way."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text()) for path in (GITHUB / "workflows").glob("*.yaml")
}
PYPROJECT = (ROOT / "pyproject.toml").read_text()
each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
# What a workflow may call in a job that may write: Git and GitHub themselves.
OWN_ACTIONS = ("actions/checkout@", "actions/download-artifact@", "actions/upload-artifact@")


def actions(job: dict[str, Any]) -> list[str]:
    return [step["uses"] for step in job["steps"] if "uses" in step]


def tracked(pattern: str) -> set[str]:
    """The files that git knows and whose names match."""
    command = ["git", "ls-files", "--", pattern]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.splitlines())


def writes(job: dict[str, Any]) -> bool:
    return "write" in job.get("permissions", {}).values()


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def secrets(value: object) -> bool:
    return "secrets." in yaml.safe_dump(value)


def before(jobs: dict[str, Any], name: str) -> set[str]:
    """Return the jobs that must have succeeded before this one begins."""
    needs = jobs[name].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(before(jobs, other) for other in direct))


@each_workflow
def test_given_a_workflow_then_it_gets_no_more_rights_than_to_read_unless_it_asks(
    workflow: dict[str, Any],
):
    assert workflow["permissions"] in ({}, {"contents": "read"})


@each_workflow
def test_given_a_job_that_may_write_then_it_runs_no_code_of_others(workflow: dict[str, Any]):
    for job in filter(writes, workflow["jobs"].values()):
        assert all(name.startswith(OWN_ACTIONS) for name in actions(job))
        assert not {"make", "scripts/with-tools", "uv", "pip"} & set(commands(job).split())


@each_workflow
def test_given_an_action_of_others_then_a_commit_and_not_a_tag_is_used(workflow: dict[str, Any]):
    used = [name for job in workflow["jobs"].values() for name in actions(job)]

    assert used
    assert [name for name in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name)] == []


def test_given_a_go_module_that_needs_others_then_dependabot_watches_it_unless_it_is_kubernetes():
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    [watched] = [update["directories"] for update in updates if "directories" in update]
    modules = [name for name in tracked("*go.mod") if "require" in (ROOT / name).read_text()]
    others = {f"/{Path(name).parent}" for name in modules if "/kubernetes-" not in name}

    assert set(watched) == others


def test_given_what_pyproject_names_then_the_lock_has_it():
    command = ["uv", "lock", "--check", "--offline"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, f"run: make lock\n{done.stderr}"


def test_given_the_lock_then_what_the_charm_is_packed_with_is_its_export(tmp_path: Path):
    for name in ("uv.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/lock", tmp_path / "scripts")
    (tmp_path / "scripts/with-tools").symlink_to(ROOT / "scripts/with-tools")
    text = (tmp_path / "scripts/lock").read_text()
    # The lock itself stays as it is.
    (tmp_path / "scripts/lock").write_text(text.replace('"$uv" lock', ": lock"))

    subprocess.run(["sh", tmp_path / "scripts/lock"], check=True)

    exported = (tmp_path / "requirements.txt").read_text()
    assert exported == (ROOT / "requirements.txt").read_text(), "run: make lock"
    packages = re.findall(r"^[a-z0-9-]+==", exported, re.MULTILINE)
    assert len(packages) > 10
    assert len(
        re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", exported, re.MULTILINE)
    ) == len(packages)


def test_given_a_lock_then_packages_are_a_week_old():
    settings = re.search(r"^\[tool\.uv\]\n(.*?)^\[", PYPROJECT, re.MULTILINE | re.DOTALL)

    assert settings
    assert 'exclude-newer = "7 days"\n' in settings[1]


def test_given_newer_packages_then_the_pull_request_takes_both_files_and_no_other():
    runs = "\n".join(map(commands, WORKFLOWS["locks"]["jobs"].values()))
    [compared] = re.findall(r"git diff -- (.+) >locks\.patch", runs)
    [applied] = re.findall(r"git apply ((?:--include=\S+ )+)", runs)

    assert compared.split() == ["uv.lock", "requirements.txt"]
    assert [word.partition("=")[2] for word in applied.split()] == compared.split()


def test_given_newer_packages_then_one_job_resolves_and_another_proposes_the_locks_alone():
    jobs = WORKFLOWS["locks"]["jobs"]
    [resolving] = [name for name, job in jobs.items() if "make lock" in commands(job)]
    [proposing] = [name for name, job in jobs.items() if writes(job)]

    assert jobs[resolving]["permissions"] == {"contents": "read"}
    assert resolving in before(jobs, proposing)


def test_given_a_release_then_ci_has_passed_before_anything_is_built():
    jobs = WORKFLOWS["release"]["jobs"]
    [checking] = [name for name, job in jobs.items() if "--workflow ci.yaml" in commands(job)]
    [building] = [name for name, job in jobs.items() if "make pack" in commands(job)]

    assert '--commit "$GITHUB_SHA" --branch main' in commands(jobs[checking])
    assert "--status success" in commands(jobs[checking])
    assert checking in before(jobs, building)


def test_given_a_release_then_only_the_step_that_uploads_has_the_credential():
    jobs = WORKFLOWS["release"]["jobs"]
    [uploading] = [name for name, job in jobs.items() if secrets(job)]
    steps = [step for step in jobs[uploading]["steps"] if secrets(step)]

    assert [step["run"] for step in steps] == ["make release CHANNEL=latest/edge"]
    assert jobs[uploading]["environment"] == "charmhub"
    assert "make pack" not in commands(jobs[uploading])
    assert any("make pack" in commands(jobs[name]) for name in before(jobs, uploading))
    assert not secrets({key: value for key, value in jobs[uploading].items() if key != "steps"})
