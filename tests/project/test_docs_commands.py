"""Each command in the README and the docs is run by a test, or this file says why it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo import page

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("docs/**/*.md")))]
PROGRAMS = (
    "juju|kubectl|make|sed|sudo|aws|aws-iam-authenticator|mkdir|export|install|skopeo|terraform"
)
# In a plan of Terraform, `juju = …` and `terraform {` are no commands.
COMMAND = re.compile(rf"^ {{4,}}((?:[A-Z]+=\S+ )?(?:{PROGRAMS}) (?![={{{{]).*)")
# A test that reads a section's commands and runs them names the page and the heading.
READERS = [
    path.read_text()
    for path in (
        *ROOT.glob("tests/integration/**/*.py"),
        Path(__file__).with_name("test_docs_recipes.py"),
    )
]
# The pages of which a test runs every command, whatever the heading.
WHOLE = {
    "docs/tutorial.md": "tests/integration/test_tutorial.py",
}

# Commands that no test runs, by why that is.
NOT_RUN = {
    "the testbed has no AWS API but STS; test_docs_recipes.py reads what it prints": (
        r"aws (eks|iam|ec2|cloudtrail|configure|sts) .*",
        r"export cluster=prod",
        r"juju config aws-iam mappings=@access-entries\.json",
    ),
    "it is for a cluster on EKS and another; test_docs_recipes.py runs its filter": (
        r"kubectl get clusterrolebindings,rolebindings -A -o json > all-bindings\.json",
        r"kubectl apply -f bindings\.json",
    ),
    "the testbed writes no audit log; test_docs_recipes.py reads one": (
        r"juju exec .* (audit|role|day|juju)-0\.json",
    ),
    "the testbed has neither Charmhub nor a public registry": (
        r"juju (download aws-iam .*|refresh aws-iam --revision 12)",
        r"skopeo .*",
        r"juju config aws-iam image=registry.*",
        r"juju deploy \./aws-iam\.charm .*",
    ),
    "the testbed's containerd, etcd and snaps have no charm, and all its machines one base": (
        r"juju config containerd custom_registries.*",
        r"juju remove-application aws-iam",
    ),
    "the testbed has no files of the original easyrsa": (r"juju exec --unit easyrsa/0 .*",),
    "the testbed's vaults have no API of Vault; test_vault.py allows the name": (
        r"juju config vault pki_allowed_domains=.*",
    ),
    "the testbed's Juju has no API for the provider; test_terraform.py reads the plan": (
        r"terraform .*",
    ),
    "tests run the same on another machine, with other keys or another value": (
        r"sudo /snap/bin/kubectl --kubeconfig /root/\.kube/config get nodes",
        r"juju config aws-iam cluster-id=prod-1",
    ),
}


def commands(name: str) -> Iterator[tuple[str, str]]:
    """Yield each command in the blocks of a page, with the heading above it."""
    heading = ""
    for line in (ROOT / name).read_text().splitlines():
        if found := re.match(r"#+ (.*)", line):
            heading = found[1]
        elif found := COMMAND.match(line):
            yield heading, re.sub(r"\s{2,}#.*", "", found[1])


def is_read(name: str, heading: str) -> bool:
    """Return whether a test reads this section's commands."""
    page_name = Path(name).name
    if name in WHOLE:
        return page_name in (ROOT / WHOLE[name]).read_text()
    return any(page_name in text and f'"{heading}"' in text for text in READERS)


def without_channel(command: str) -> str:
    return re.sub(r" --channel [\d.]+/stable", "", command)


def steps() -> str:
    """Return what the demo and the tests of the page run, for both kinds of control plane."""
    found = [*page.steps("1.28", "easyrsa"), *page.steps("1.29", "easyrsa")]
    return without_channel(
        "\n".join(step.command for step in found if isinstance(step, page.Step))
    )


def test_given_a_command_on_a_page_then_a_test_runs_it_or_a_reason_is_given():
    shown = [(name, *each) for name in PAGES for each in commands(name)]
    read = {without_channel(command) for name, heading, command in shown if is_read(name, heading)}
    patterns = [pattern for each in NOT_RUN.values() for pattern in each]
    targets = re.findall(r"^([a-z-]+):  ## ", (ROOT / "Makefile").read_text(), re.MULTILINE)

    def is_known(command: str) -> bool:
        filled = command.replace("CLUSTER_ID", page.CLUSTER_ID).replace("ROLE_ARN", page.ROLE)
        is_target = command.startswith("make ") and command.split()[1] in targets
        excused = any(re.fullmatch(pattern, command) for pattern in patterns)
        return excused or is_target or without_channel(command) in read or filled in steps()

    unknown = [command for *_, command in shown if not is_known(command)]
    assert unknown == [], "let a test run it, or say in NOT_RUN why not"
    needless = [p for p in patterns if not any(re.fullmatch(p, command) for *_, command in shown)]
    assert needless == []


@pytest.mark.parametrize("name", [*PAGES, "demo/page.py"])
def test_given_a_program_that_reads_results_then_it_fails_when_the_action_fails(name: str):
    """`juju run` exits with 0 then."""
    for found in re.findall(r"jq -\w+ '([^']+)'", (ROOT / name).read_text()):
        if ".results" in found:
            assert "error(.message)" in found


@pytest.mark.parametrize("name", PAGES)
def test_given_a_command_that_saves_what_juju_prints_then_the_former_file_stays_until_then(
    name: str,
):
    for _, command in commands(name):
        for file in re.findall(r"^juju .*? > (\S+)", command):
            kept = file.removesuffix(".new")
            # jq fails on nothing. Juju itself may print nothing, and exit with 0.
            checked = "" if " | jq -" in command else f" && test -s {file}"
            # What a command writes on a machine stands in quotes.
            ends = command.removesuffix('"')
            assert ends.endswith(f" > {kept}.new{checked} && mv {kept}.new {kept}")
