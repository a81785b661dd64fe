"""The pages of docs/reference say what the code has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from scripts import reference


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_given_the_code_then_its_page_is_as_make_docs_writes_it(path: Path):
    assert path.read_text() == reference.pages()[path], "run make docs, and commit the page"


def test_given_the_rules_and_the_dashboard_then_each_of_their_metrics_is_explained():
    explained = yaml.safe_load((reference.FOLDER / "metrics.yaml").read_text())

    assert {each["metric"] for each in explained} == reference.metrics_in_use()
