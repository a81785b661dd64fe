"""The pages of docs/reference say what the code has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts import reference


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_given_the_code_then_its_page_is_as_make_docs_writes_it(path: Path):
    assert path.read_text() == reference.pages()[path], "run make docs, and commit the page"


def described() -> Iterator[tuple[str, str]]:
    """Yield each option and each action with its description."""
    options = yaml.safe_load((reference.ROOT / "config.yaml").read_text())["options"]
    for name, found in (*options.items(), *actions().items()):
        yield name, found["description"]


def actions() -> dict[str, Any]:
    return yaml.safe_load((reference.ROOT / "actions.yaml").read_text())


@pytest.mark.parametrize(("name", "text"), [*described()], ids=lambda text: text[:20])
def test_given_an_option_or_an_action_then_two_lines_and_a_link_describe_it(name: str, text: str):
    *lines, link = text.splitlines()

    assert 1 <= len(lines) <= 2
    assert all(len(line) < 100 for line in lines)
    found = re.fullmatch(r"See https://github\.com/charmed-kubernetes/.*/blob/main/(\S+)", link)
    assert found
    assert (reference.ROOT / found[1]).is_file()


@pytest.mark.parametrize("action", actions())
def test_given_an_action_then_two_lines_at_most_describe_each_parameter(action: str):
    params = actions()[action].get("params", {})

    long = [name for name, found in params.items() if len(found["description"].splitlines()) > 2]
    assert long == []


def test_given_the_rules_and_the_dashboard_then_each_of_their_metrics_is_explained():
    explained = yaml.safe_load((reference.FOLDER / "metrics.yaml").read_text())

    assert {each["metric"] for each in explained} == reference.metrics_in_use()
