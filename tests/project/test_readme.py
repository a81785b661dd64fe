"""What the README and the pages beside it say is there, and runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo import page

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
# Sphinx checks the links between the pages of docs/.
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *(ROOT / ".github").rglob("*.md")])
REPOSITORY = "https://github.com/charmed-kubernetes/charm-aws-iam/blob/main/"


def test_given_the_command_for_a_kubeconfig_when_the_page_runs_it_then_the_readme_has_it_too():
    steps = page.steps("1.29", "easyrsa")

    assert page.GET_KUBECONFIG in [step.command for step in steps if isinstance(step, page.Step)]
    assert f"    {page.GET_KUBECONFIG}\n" in README


def test_given_the_readmes_mapping_then_its_group_is_bound_on_the_page():
    """Charmed Kubernetes asks RBAC: without a binding, the first login ends in Forbidden."""
    [groups] = re.findall(r"groups:\n      - (\w+)\n", README)

    assert (
        f"kubectl create clusterrolebinding aws-iam-view --clusterrole=view --group={groups}"
        in (README)
    )


def links(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the anchor of each link of a page to something in the repository."""
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
        path, _, anchor = target.removeprefix(REPOSITORY).partition("#")
        if "://" not in path:
            base = ROOT if target.startswith(REPOSITORY) else file.parent
            yield str(base / path if path else file), anchor


def anchors(file: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", found.lower()).replace(" ", "-") for found in headings}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_given_a_page_when_its_links_are_followed_then_they_lead_somewhere(file: Path):
    for path, anchor in links(file):
        assert Path(path).exists(), f"no {path}"
        assert not anchor or anchor in anchors(Path(path)), f"no heading {anchor} in {path}"


def test_given_the_docs_when_they_link_to_a_file_of_the_repository_then_it_is_there():
    for file in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(re.escape(REPOSITORY) + r"([^)#\s]+)", file.read_text()):
            assert (ROOT / target).exists(), f"{file}: no {target}"
