"""What comes in from others, and what goes out to Charmhub: who may do what on the way."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
# What a workflow may call in a job that may write: Git and GitHub themselves.
OWN_ACTIONS = ("actions/checkout@", "actions/download-artifact@", "actions/upload-artifact@")


def load(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yaml").read_text())["jobs"]


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


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_given_a_job_that_may_write_then_it_runs_no_code_of_others(path: Path):
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        if writes(job):
            used = [step["uses"] for step in job["steps"] if "uses" in step]
            assert all(name.startswith(OWN_ACTIONS) for name in used)
            assert not {"make", "scripts/with-tools", "uv", "pip"} & set(commands(job).split())


def test_given_newer_packages_then_one_job_resolves_and_another_proposes_the_locks_alone():
    jobs = load("locks")
    [resolving] = [name for name, job in jobs.items() if "make lock" in commands(job)]
    [proposing] = [name for name, job in jobs.items() if writes(job)]

    assert jobs[resolving]["permissions"] == {"contents": "read"}
    assert resolving in before(jobs, proposing)


@pytest.mark.parametrize("given", ["", "2026-11-27T00:00:00Z"])
def test_given_a_lock_to_renew_then_packages_are_a_week_old_unless_one_says_otherwise(
    tmp_path: Path, given: str
):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "lock").write_text((ROOT / "scripts" / "lock").read_text())
    tools = tmp_path / "scripts" / "with-tools"
    tools.write_text('#!/bin/sh\necho "$UV_EXCLUDE_NEWER" >>calls\n')
    tools.chmod(0o755)
    environment = {**os.environ, "UV_EXCLUDE_NEWER": given}

    subprocess.run(["sh", tmp_path / "scripts" / "lock"], env=environment, check=True)

    assert set((tmp_path / "calls").read_text().splitlines()) == {given or "7 days"}


def test_given_a_release_then_ci_has_passed_before_anything_is_built():
    jobs = load("release")
    [checking] = [name for name, job in jobs.items() if "--workflow ci.yaml" in commands(job)]
    [building] = [name for name, job in jobs.items() if "make pack" in commands(job)]

    assert '--commit "$GITHUB_SHA" --branch main' in commands(jobs[checking])
    assert "--status success" in commands(jobs[checking])
    assert checking in before(jobs, building)


def test_given_a_release_then_only_the_step_that_uploads_has_the_credential():
    jobs = load("release")
    [uploading] = [name for name, job in jobs.items() if secrets(job)]
    steps = [step for step in jobs[uploading]["steps"] if secrets(step)]

    assert [step["run"] for step in steps] == ["make release CHANNEL=latest/edge"]
    assert jobs[uploading]["environment"] == "charmhub"
    assert "make pack" not in commands(jobs[uploading])
    assert any("make pack" in commands(jobs[name]) for name in before(jobs, uploading))
    assert not secrets({key: value for key, value in jobs[uploading].items() if key != "steps"})
