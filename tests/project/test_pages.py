"""What the pages say is there, is as the code has it, and has a date where it is about others."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from scripts import facts, reference

import times
from access import partitions
from access.declaration import declared
from access.refusals import Cause

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ERRORS = (ROOT / "docs/how-to/errors.md").read_text()
# Sphinx checks the links between the pages of docs/.
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *(ROOT / ".github").rglob("*.md")])
REPOSITORY = "https://github.com/charmed-kubernetes/charm-aws-iam/blob/main/"


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_given_the_code_then_its_page_is_as_make_docs_writes_it(path: Path):
    assert path.read_text() == reference.pages()[path], "run make docs, and commit the page"


def test_given_the_rules_and_the_dashboard_then_each_of_their_metrics_is_explained():
    explained = yaml.safe_load((reference.FOLDER / "metrics.yaml").read_text())

    assert {each["metric"] for each in explained} == reference.metrics_in_use()


def test_given_the_page_on_errors_then_its_causes_are_those_of_refusals():
    listed = ERRORS.partition("list-refusals\n\n")[2].partition("\n\n")[0]
    shown = re.findall(r"^- `([^`]+)`:", listed, re.MULTILINE)

    assert shown
    assert {*shown} <= {cause.value.partition(": ")[0] for cause in Cause}


def test_given_the_page_on_the_network_then_it_has_the_domain_of_sts_in_each_partition():
    page = (ROOT / "docs/how-to/network.md").read_text()
    _, _, below = page.partition("## The names in each partition\n")
    rows = re.findall(r"^\| (`aws.*?) \| `(\S+)` \|", below.partition("\n## ")[0], re.MULTILINE)

    shown = {name: domain for names, domain in rows for name in re.findall(r"`(\S+?)`", names)}
    assert shown.keys() == set(partitions.PARTITIONS)
    for name, domain in shown.items():
        assert partitions.sts(partitions.home(name, "")).endswith(f".{domain}")


def test_given_the_readmes_list_then_its_role_may_read_and_its_profile_is_the_roles():
    """Charmed Kubernetes asks RBAC: without a right, the first login ends in Forbidden."""
    [listed] = re.findall(r"^(?:    - arn: .*\n)(?:    .*\n)+", README, re.MULTILINE)
    found = declared.parse(textwrap.dedent(listed), times.now())
    [entry] = found.entries

    assert not found.faults
    assert [right.role for right in entry.rights] == ["view"]
    assert f"    role_arn = {entry.arn}\n" in README


def links(file: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the anchor of each link of a page to something in the repository."""
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
        path, _, anchor = target.partition("#")
        if "://" not in path:
            yield file.parent / path if path else file, anchor


def anchors(file: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", found.lower()).replace(" ", "-") for found in headings}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_given_a_page_when_its_links_are_followed_then_they_lead_somewhere(file: Path):
    for path, anchor in links(file):
        assert path.exists(), f"no {path}"
        assert not anchor or anchor in anchors(path), f"no heading {anchor} in {path}"


def test_given_a_text_with_the_address_of_a_file_here_then_the_file_is_there():
    command = ["git", "grep", "-hoE", rf"{REPOSITORY}[^)#' \"]+"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = {line.removeprefix(REPOSITORY) for line in listed.splitlines()}

    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_given_facts_about_others_then_each_has_its_form_and_its_place():
    for page, _, anchor in (fact.place.partition("#") for fact in facts.facts()):
        assert anchor in anchors(ROOT / "docs" / page), f"no heading {anchor} in {page}"
