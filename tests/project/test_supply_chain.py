"""What comes in from others, and what goes out to Charmhub: who may do what on the way."""

from __future__ import annotations

import json
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
OWN_ACTIONS = (
    *("actions/attest@", "actions/checkout@", "actions/download-artifact@"),
    "actions/upload-artifact@",
)
# What may upload its findings, and sign them, but change nothing.
ANALYSES = ("github/codeql-action/", "ossf/scorecard-action@")


def actions(job: dict[str, Any]) -> list[str]:
    return [step["uses"] for step in job["steps"] if "uses" in step]


def tracked(pattern: str) -> set[str]:
    """The files that git knows and whose names match."""
    command = ["git", "ls-files", "--", pattern]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.splitlines())


def writes(job: dict[str, Any]) -> bool:
    """Return whether a job may change what others use: all but findings, and signatures of what
    it is itself."""
    rights = {name for name, right in job.get("permissions", {}).items() if right == "write"}
    return bool(rights - {"security-events", "id-token"})


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
def test_given_a_job_that_may_write_then_it_runs_no_code_of_others(workflow: dict[str, Any]):
    for job in filter(writes, workflow["jobs"].values()):
        assert all(name.startswith(OWN_ACTIONS) for name in actions(job))
        assert not {"make", "scripts/with-tools", "uv", "pip"} & set(commands(job).split())


@each_workflow
def test_given_a_job_that_may_upload_findings_then_it_runs_the_analyses_alone(
    workflow: dict[str, Any],
):
    for job in workflow["jobs"].values():
        if "write" in job.get("permissions", {}).values() and not writes(job):
            assert all(name.startswith((*OWN_ACTIONS, *ANALYSES)) for name in actions(job))
            assert not commands(job).strip()


def test_given_a_go_module_that_needs_others_then_dependabot_watches_it_unless_it_is_kubernetes():
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    [watched] = [update["directories"] for update in updates if "directories" in update]
    modules = [name for name in tracked("*go.mod") if "require" in (ROOT / name).read_text()]
    others = {f"/{Path(name).parent}" for name in modules if "/kubernetes-" not in name}

    assert set(watched) == others


def test_given_a_go_module_that_dependabot_watches_then_the_audit_looks_at_its_programs():
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    [watched] = [update["directories"] for update in updates if "directories" in update]
    text = (ROOT / "scripts/check").read_text().replace("$testbed", "testbed/src/testbed/programs")
    [audited] = re.findall(r"programs=\$\(python -m testbed programs (.*?)\)", text, re.DOTALL)

    assert {f"/{name}" for name in audited.replace("\\", "").split()} == set(watched)


def test_given_a_group_of_packages_then_the_audit_looks_at_it():
    [named] = re.findall(r"for group in (.*); do", (ROOT / "scripts/check").read_text())
    groups = re.search(r"^\[dependency-groups\]\n(.*?)^\[", PYPROJECT, re.MULTILINE | re.DOTALL)

    assert groups
    assert set(named.split()) == set(re.findall(r"^([a-z-]+) = \[", groups[1], re.MULTILINE))


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


def test_given_a_release_then_it_is_the_archive_that_ci_tested_on_this_commit():
    ci, jobs = WORKFLOWS["ci"]["jobs"], WORKFLOWS["release"]["jobs"]
    [taking] = [name for name, job in jobs.items() if "gh run download" in commands(job)]
    taken = commands(jobs[taking])

    assert '--workflow ci.yaml --commit "$GITHUB_SHA" --branch main' in taken
    assert "--status success" in taken
    assert "--name charm" in taken
    assert "sha256sum --check SHA256SUMS" in taken
    assert not any("make pack" in commands(job) for job in jobs.values())
    assert all(taking in before(jobs, name) for name in jobs if name != taking)
    [packing] = [name for name, job in ci.items() if "make pack" in commands(job)]
    testing = [
        name
        for name, job in ci.items()
        if any("AWS_IAM_CHARM" in step.get("env", {}) for step in job["steps"])
    ]
    assert sorted(testing) == ["integration", "pythons"]
    for name in testing:
        assert packing in before(ci, name)
        assert "sha256sum --check SHA256SUMS" in commands(ci[name])


def test_given_a_release_then_it_is_attested_with_its_packages_before_it_is_uploaded():
    jobs = WORKFLOWS["release"]["jobs"]
    [attesting] = [name for name, job in jobs.items() if "attestations" in job["permissions"]]
    steps = [step["with"] for step in jobs[attesting]["steps"] if "attest@" in step["uses"]]
    [uploading] = [name for name, job in jobs.items() if secrets(job)]
    [publishing] = [name for name, job in jobs.items() if "gh release create" in commands(job)]

    assert [step.get("sbom-path") for step in steps] == [None, "build/aws-iam.cdx.json"]
    assert {step["subject-path"] for step in steps} == {"build/*.charm"}
    assert attesting in before(jobs, uploading)
    assert uploading in before(jobs, publishing)


def test_given_a_release_then_only_the_step_that_uploads_has_the_credential():
    jobs = WORKFLOWS["release"]["jobs"]
    [uploading] = [name for name, job in jobs.items() if secrets(job)]
    steps = [step for step in jobs[uploading]["steps"] if secrets(step)]

    assert [step["run"] for step in steps] == ["make release CHANNEL=latest/edge"]
    assert jobs[uploading]["environment"] == "charmhub"
    assert not secrets({key: value for key, value in jobs[uploading].items() if key != "steps"})


def test_given_a_version_then_its_description_has_its_changes_and_its_packages(tmp_path: Path):
    for name in ("uv.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "scripts").mkdir()
    for name in ("describe", "with-tools"):
        (tmp_path / "scripts" / name).symlink_to(ROOT / "scripts" / name)
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\nNot yet.\n\n## 1.2.0 (2026-12-01)\n\nA new way.\n\n"
        "### Fixed\n\nA fault.\n\n## 1.1.0\n\nThe first.\n"
    )
    # The script works in the folder that it lies in, so it is a copy.
    (tmp_path / "scripts/describe").unlink()
    shutil.copy(ROOT / "scripts/describe", tmp_path / "scripts")

    def describe(version: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", tmp_path / "scripts/describe", version, tmp_path / "build"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert describe("v1.2.0").returncode == 0
    notes = (tmp_path / "build/notes.md").read_text()
    assert notes.strip() == "A new way.\n\n### Fixed\n\nA fault."
    described = json.loads((tmp_path / "build/aws-iam.cdx.json").read_text())
    names = {each["name"] for each in described["components"]}
    assert {"ops", "lightkube", "httpx2", "cryptography"} <= names
    assert "pytest" not in names

    unknown = describe("v9.9.9")
    assert unknown.returncode == 1
    assert unknown.stderr == "scripts/describe: CHANGELOG.md has no section '## 9.9.9'\n"
