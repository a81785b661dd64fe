"""Workflows and what else serves the repository say the same as the Makefile and the folders."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts import charm_store
from tests.project.test_supply_chain import WORKFLOWS, commands, each_workflow

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
HELPED = set(re.findall(r"^([a-z-]+):  ## ", MAKEFILE, re.MULTILINE))


def made(workflow: dict[str, Any]) -> set[str]:
    """The targets that a workflow makes, those of its matrices too."""
    jobs = workflow["jobs"].values()
    matrices = [job.get("strategy", {}).get("matrix", {}) for job in jobs]
    runs = "\n".join(map(commands, jobs))
    words = " ".join(re.findall(r"\bmake ([^\n;]+)", runs)).split()
    return {
        *(word for word in words if re.fullmatch(r"[a-z-]+", word)),
        *(target for matrix in matrices for target in matrix.get("target", [])),
        *(
            item["target"]
            for matrix in matrices
            for item in matrix.get("include", [])
            if "target" in item
        ),
    }


@each_workflow
def test_given_a_workflow_then_each_target_that_it_makes_is_in_make_help(workflow: dict[str, Any]):
    assert made(workflow) <= HELPED


def test_given_the_workflows_then_all_but_those_of_services_make_targets():
    services = {"codeql", "dependencies", "scorecard"}

    assert {name for name, workflow in WORKFLOWS.items() if not made(workflow)} == services


def test_given_every_change_then_ci_makes_each_kind_of_check():
    tests = {"unit", "browser", "conformance", "testbed-tests", "integration"}

    assert made(WORKFLOWS["ci"]) == {"lint", *tests, "terraform", "pack"}


def test_given_a_real_juju_then_the_testbed_runs_its_programs_and_no_account_is_needed():
    [job] = WORKFLOWS["real-juju"]["jobs"].values()
    versions = job["strategy"]["matrix"]["include"]

    assert {each["channel"].partition("/")[0] for each in versions} == {"3.6", "4"}
    assert all(Path(each["programs"]).is_absolute() for each in versions)
    assert job["steps"][-1]["env"]["TESTBED_JUJU"] == "${{ matrix.programs }}"
    assert "environment" not in job
    assert "secrets." not in str(job)


def test_given_the_reactive_charm_of_charmhub_then_a_weekly_job_refreshes_that_one(
    monkeypatch: pytest.MonkeyPatch,
):
    job = WORKFLOWS["weekly"]["jobs"]["reactive"]
    [refreshing] = [step for step in job["steps"] if "test_refresh.py" in step.get("run", "")]
    given = refreshing["env"]["REACTIVE_CHARM"]

    assert f"--filepath {given}\n" in f"{commands(job)}\n"
    monkeypatch.setenv("REACTIVE_CHARM", given)
    archives = {package.file: package.archive for package in charm_store.packages()}
    assert archives["aws-iam_reactive.charm"] == ROOT / given
    assert archives["aws-iam.charm"] is None


@each_workflow
def test_given_a_workflow_then_the_overlays_are_deployed_as_they_are(workflow: dict[str, Any]):
    """Juju 3.6 refuses a channel beside a file, so none of them may get a file by an edit."""
    assert "overlays/" not in "\n".join(map(commands, workflow["jobs"].values()))


def test_given_a_target_of_the_makefile_then_make_help_lists_it():
    [phony] = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)

    assert sorted(phony.split()) == sorted(HELPED)


@each_workflow
def test_given_a_workflow_then_no_two_of_its_jobs_run_beside_those_of_an_earlier_start(
    workflow: dict[str, Any],
):
    assert "${{ github.workflow }}" in str(workflow.get("concurrency"))


@each_workflow
def test_given_a_job_for_several_targets_then_each_keeps_a_cache_of_its_own(
    workflow: dict[str, Any],
):
    keys = [
        (step["with"]["key"], job)
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/cache@")
    ]
    for key, job in keys:
        several = "target" in str(job.get("strategy", {}).get("matrix"))
        assert not several or "${{ matrix.target }}" in key
    assert len({key for key, _ in keys}) == len(keys)


def test_given_a_hook_of_pre_commit_then_its_program_is_in_this_repository():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    programs = [hook["entry"].split()[0] for repo in config["repos"] for hook in repo["hooks"]]

    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert [name for name in programs if name != "make" and not (ROOT / name).is_file()] == []


def test_given_a_file_that_others_may_copy_then_it_says_under_which_licence():
    notice = "# SPDX-License-Identifier: Apache-2.0\n"
    files = [
        path
        for folder, pattern in (("src", "*.py"), ("lib", "*.py"), ("terraform", "*.tf"))
        for path in (ROOT / folder).rglob(pattern)
    ]

    assert files
    assert [path for path in files if notice not in path.read_text()[:150]] == []


@pytest.mark.parametrize("name", ["quick", "unit"])
def test_given_a_folder_when_unit_tests_are_run_then_those_of_no_other_are(
    name: str, tmp_path: Path
):
    (tmp_path / "pytest").write_text('#!/bin/sh\necho "$*"\n')
    (tmp_path / "pytest").chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])

    command = [ROOT / "scripts" / "check", name, "tests/unit/access"]
    ran = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )

    words = ran.stdout.split()
    assert [word for word in words if word.startswith("tests/unit")] == ["tests/unit/access"]


@pytest.mark.parametrize("name", ["charm", "check", "lab", "with-tools"])
def test_given_a_script_without_its_command_then_it_says_what_it_needs(name: str):
    ran = subprocess.run([ROOT / "scripts" / name], capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert f": scripts/{name} needs a " in ran.stderr


def test_given_every_change_then_ci_and_make_test_measure_what_unit_tests_leave_out():
    checks = WORKFLOWS["ci"]["jobs"]["checks"]
    measured = [
        each["target"] for each in checks["strategy"]["matrix"]["include"] if "args" in each
    ]

    assert measured == ["unit"]
    assert "\n\t@$(MAKE) unit ARGS=--cov\n" in MAKEFILE
    assert 'make "$TARGET" ARGS="$ARGS"' in [step.get("run") for step in checks["steps"]]
