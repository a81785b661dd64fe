"""What workflows may do with what comes from others, and that a release is what CI has tested.

zizmor looks at what holds for any repository.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS: dict[str, dict[str, dict[str, Any]]] = {
    path.stem: yaml.safe_load(path.read_text())["jobs"]
    for path in (ROOT / ".github/workflows").glob("*.yaml")
}
CHECK = (ROOT / "scripts/check").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()
# Git and GitHub themselves.
OWN_ACTIONS = (
    *("actions/attest@", "actions/checkout@", "actions/download-artifact@"),
    "actions/upload-artifact@",
)
# What may upload its findings, and sign them, but change nothing here.
UPLOADS = ("github/codeql-action/", "ossf/scorecard-action@")


def commands(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


def before(jobs: dict[str, Any], name: str) -> set[str]:
    """Return the jobs that must have succeeded before this one begins."""
    needs = jobs[name].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(before(jobs, other) for other in direct))


def one(jobs: dict[str, Any], words: str) -> str:
    """Return the one job that has these words."""
    [name] = [name for name, job in jobs.items() if words in yaml.safe_dump(job, width=1000)]
    return name


@pytest.mark.parametrize("jobs", WORKFLOWS.values(), ids=WORKFLOWS)
def test_given_a_job_that_may_write_then_it_runs_no_code_of_others(jobs: dict[str, Any]):
    for job in jobs.values():
        rights = {name for name, right in job.get("permissions", {}).items() if right == "write"}
        uploads = rights <= {"security-events", "id-token"}
        allowed = (*OWN_ACTIONS, *UPLOADS) if uploads else OWN_ACTIONS
        if rights:
            assert all(
                step.get("uses", "actions/attest@").startswith(allowed) for step in job["steps"]
            )
            assert not {"make", "scripts/with-tools", "uv", "pip"} & set(commands(job).split())
        if rights and uploads:
            assert not commands(job).strip()


def test_given_a_group_of_packages_or_a_go_module_then_the_audit_and_dependabot_look_at_it():
    [groups] = re.findall(r"for group in (.*); do", CHECK)
    [ours] = re.findall(r"(?ms)^\[dependency-groups\]\n(.*?)^\[", PYPROJECT)
    programs = CHECK.replace("$testbed", "testbed/src/testbed/programs").replace("\\", "")
    [audited] = re.findall(r"(?s)programs=\$\(python -m testbed programs (.*?)\)", programs)
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    [watched] = [update["directories"] for update in updates if "directories" in update]
    listed = subprocess.check_output(["git", "ls-files", "*go.mod"], cwd=ROOT, text=True).split()
    needing = {name for name in listed if "require" in (ROOT / name).read_text()}

    assert set(groups.split()) == set(re.findall(r"(?m)^([a-z-]+) = \[", ours))
    assert {f"/{name}" for name in audited.split()} == set(watched)
    # The testbed chooses its versions of Kubernetes.
    assert {f"/{Path(n).parent}" for n in needing if "/kubernetes-" not in n} == set(watched)


def test_given_what_ci_tests_or_releases_then_it_is_the_archive_that_it_packed():
    jobs = WORKFLOWS["ci"]
    uploading = one(jobs, "secrets.")
    [step] = [step for step in jobs[uploading]["steps"] if "secrets." in str(step)]

    for name in ("integration", "pythons", uploading):
        assert one(jobs, "make pack") in before(jobs, name)
        assert "sha256sum --check SHA256SUMS" in commands(jobs[name])
    assert before(jobs, uploading) == set(jobs) - {uploading}
    assert jobs[uploading]["if"] == "github.event_name == 'push'"
    # No other code runs beside the credential.
    assert step["run"] == "make release CHANNEL=latest/edge"
    assert jobs[uploading]["environment"] == "charmhub"


def test_given_a_release_then_what_ci_tested_on_this_commit_is_attested_and_published():
    jobs = WORKFLOWS["release"]
    taking, attesting = one(jobs, "gh run download"), one(jobs, "attestations")

    assert '--workflow ci.yaml --commit "$GITHUB_SHA" --branch main' in commands(jobs[taking])
    assert "sha256sum --check SHA256SUMS" in commands(jobs[taking])
    assert not any("make pack" in commands(job) for job in jobs.values())
    assert "sbom-path: build/aws-iam.cdx.json" in yaml.safe_dump(jobs[attesting])
    assert {taking, attesting} <= before(jobs, one(jobs, "gh release create"))
