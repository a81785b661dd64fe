"""The pages of docs/reference say what the code has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from scripts import reference, status_texts


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_given_the_code_then_its_page_is_as_make_docs_writes_it(path: Path):
    assert path.read_text() == reference.pages()[path], "run make docs, and commit the page"


def test_given_the_code_then_every_status_has_a_meaning_and_a_remedy():
    assert not reference.difference(), f"correct {reference.MEANINGS.relative_to(reference.ROOT)}"


def test_given_the_rules_and_the_dashboard_then_each_of_their_metrics_is_explained():
    explained = yaml.safe_load((reference.FOLDER / "metrics.yaml").read_text())

    assert {each["metric"] for each in explained} == reference.metrics_in_use()


def test_given_the_code_then_each_kind_of_status_is_found_and_has_words():
    found = status_texts.find()

    assert min(map(len, found.values())) > 4
    assert all(status_texts.HOLE not in texts for texts in found.values())


def test_given_a_status_whose_text_cannot_be_found_when_read_then_the_error_says_where_to_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "check-python.sh").write_text("")
    (tmp_path / "new.py").write_text("def f(reason):\n    raise Blocked(reason)\n")
    monkeypatch.setattr(status_texts, "SRC", tmp_path)

    with pytest.raises(LookupError, match=r"_ELSEWHERE, what 'new\.py: reason' may say"):
        status_texts.find()
