"""The recipes of the docs for what the testbed does not have: audit logs, AWS, EKS."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import times
from access.declaration import declared

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs/how-to"
ROLE = "arn:aws:iam::111122223333:role"
REQUEST = {
    "stage": "ResponseComplete",
    "verb": "create",
    "requestReceivedTimestamp": "2026-11-26T08:16:01Z",
    "requestURI": "/api/v1/pods",
    "user": {
        "username": "dev",
        "extra": {"sessionName": ["alice"], "accessKeyId": ["ASIAEXAMPLE"]},
    },
    "objectRef": {"resource": "iamidentitymappings", "name": "team-a"},
    "responseStatus": {"code": 201},
}


def shell(folder: Path, command: str) -> str:
    """Return what a command of a page prints in this folder, beside stand-ins for programs."""
    ran = subprocess.run(
        ["/bin/bash", "-ec", command],
        cwd=folder,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return ran.stdout


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def filtered(page: str, begins: str, *given: dict[str, Any]) -> str:
    """Return what the page's filter that begins so makes of lines of JSON."""
    text = (HOW_TO / page).read_text()
    [found] = re.findall(rf"jq (-\w+ )?'({re.escape(begins)}[^']*)'", text)
    command = ["jq", *found[0].split(), found[1]]
    lines = "\n".join(map(json.dumps, given))
    return subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout


DAY = {
    **REQUEST,
    "user": {**REQUEST["user"], "extra": {**REQUEST["user"]["extra"], "arn": [f"{ROLE}/dev"]}},
}
STATUS = {**REQUEST, "objectRef": {**REQUEST["objectRef"], "subresource": "status"}}
ISSUED = {
    "eventTime": "2026-11-26T08:15:59Z",
    "userIdentity": {"arn": "arn:aws:iam::111122223333:user/alice"},
    "sourceIPAddress": "192.0.2.10",
    "responseElements": {"credentials": {"accessKeyId": "ASIAEXAMPLE"}},
}
BY_SAML = {**ISSUED, "userIdentity": {"type": "SAMLUser", "userName": "bob@example.com"}}
RAN = {
    "who": "admin",
    "what": "juju run aws-iam/leader grant-access",
    "when": "2026-11-26T08:16:01Z",
    "model-name": "admin/prod",
}
# A filter of the page on audits, by how it begins: what it gets, and its lines.
FILTERS: dict[str, tuple[str, list[dict[str, Any]], list[str]]] = {
    "who wrote mappings": (
        '.[] | select(.stage == "ResponseComplete" and',
        [REQUEST, {**REQUEST, "stage": "RequestReceived"}, {**REQUEST, "verb": "watch"}, STATUS],
        ["2026-11-26T08:16:01Z\tdev\tcreate\tiamidentitymappings\t\tteam-a\t201"],
    ),
    "who was behind a role": (
        '.[] | select(.stage == "ResponseComplete")',
        [REQUEST, {**REQUEST, "user": {"username": "admin"}}],
        [
            "2026-11-26T08:16:01Z\tdev\talice\tASIAEXAMPLE\tcreate\t/api/v1/pods",
            "2026-11-26T08:16:01Z\tadmin\t\t\tcreate\t/api/v1/pods",
        ],
    ),
    "a day's logins": (
        "[.[] | select(",
        [DAY, DAY, {**DAY, "user": {"username": "admin"}}],
        [f"{ROLE}/dev\tdev\talice\tASIAEXAMPLE\t2"],
    ),
    # CloudTrail prints one file for each kind of event.
    "who got the key": (
        ".Events[].CloudTrailEvent",
        [
            {"Events": [{"CloudTrailEvent": json.dumps(each)} for each in events]}
            for events in ([ISSUED, {**ISSUED, "responseElements": None}], [BY_SAML])
        ],
        [
            "2026-11-26T08:15:59Z\tarn:aws:iam::111122223333:user/alice\t192.0.2.10",
            "2026-11-26T08:15:59Z\tbob@example.com\t192.0.2.10",
        ],
    ),
    "who ran what": (
        ".[].conversation // empty",
        [{"conversation": RAN}, {"request": {"facade": "x"}}],
        ["2026-11-26T08:16:01Z\tadmin\tadmin/prod\tjuju run aws-iam/leader grant-access"],
    ),
}


@pytest.mark.parametrize(("begins", "logged", "lines"), FILTERS.values(), ids=FILTERS)
def test_given_a_log_then_the_filter_shows_who_did_what(
    begins: str, logged: list[dict[str, Any]], lines: list[str]
):
    assert filtered("audit.md", begins, *logged).splitlines() == lines


def test_given_bindings_on_eks_then_the_filter_keeps_those_of_people():
    def binding(name: str, *subjects: tuple[str, str]) -> dict[str, Any]:
        return {
            "metadata": {"name": name, "uid": "1", "resourceVersion": "2"},
            "subjects": [{"kind": kind, "name": subject} for kind, subject in subjects],
        }

    shown = filtered(
        "move-from-eks.md",
        ".items |= map(",
        {
            "kind": "List",
            "items": [
                binding("viewers", ("Group", "viewers")),
                binding("masters", ("Group", "system:masters")),
                binding("pods", ("ServiceAccount", "default")),
                {"metadata": {"name": "nobody"}},
            ],
        },
    )

    [kept] = json.loads(shown)["items"]
    assert kept["metadata"] == {"name": "viewers"}


def test_given_both_lists_of_eks_then_one_file_has_them_and_the_access_entry_counts(
    tmp_path: Path,
):
    text = (HOW_TO / "move-from-eks.md").read_text()
    [together] = re.findall(r"^    (\{ cat access-entries\.json; echo.*)$", text, re.MULTILINE)
    entry = {"principalArn": f"{ROLE}/dev", "type": "STANDARD", "username": "dev-by-entry"}
    (tmp_path / "access-entries.json").write_text(json.dumps({"accessEntry": entry}))
    rows = f"- rolearn: {ROLE}/dev\n  username: dev\n- rolearn: {ROLE}/ops\n  username: ops\n"
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"mapRoles": rows}}
    (tmp_path / "aws-auth.yaml").write_text(yaml.safe_dump(config_map))

    shell(tmp_path, together)

    found = declared.parse((tmp_path / "mappings.yaml").read_text(), times.now())
    assert {entry.username for entry in found.entries} == {"dev-by-entry", "ops"}
    assert len(found.left_out) == 1
    assert not found.faults


def test_given_many_models_then_the_script_says_who_differs_and_sets_the_option(tmp_path: Path):
    (tmp_path / "people.sh").write_text((ROOT / "scripts/people.sh").read_text())
    (tmp_path / "mappings.yaml").write_text("- arn: x\n")
    none = dict.fromkeys(("fault", "delete", "change", "make", "wait", "leave-out"), "0")
    plans = {
        "prod": {"status": "completed", "results": {**none, "change": "2", "make": "1"}},
        "test": {"status": "completed", "results": none},
        "lost": {"status": "failed", "message": "the API is down", "results": {}},
    }
    for model, plan in plans.items():
        (tmp_path / f"{model}.json").write_text(json.dumps({"aws-iam/0": plan}))
    program(tmp_path / "juju", 'echo "$@" >> asked; [ "$1" = config ] || cat "$3.json"')

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        command = ["sh", "people.sh", *args]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert run("differ", "mappings.yaml", "prod", "test").stdout == (
        "prod: 2 change, 1 make\ntest: nothing\n"
    )
    run("apply", "mappings.yaml", "prod", "test")
    assert (tmp_path / "asked").read_text().splitlines()[-2:] == [
        f"config --model {model} aws-iam mappings=@mappings.yaml" for model in ("prod", "test")
    ]
    stopped = run("differ", "mappings.yaml", "lost", "test")
    assert stopped.returncode
    assert "the API is down" in stopped.stderr
    assert not stopped.stdout
