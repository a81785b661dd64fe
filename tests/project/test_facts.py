"""Facts about others have a date and a source in the pages, and one command lists the old ones."""

from __future__ import annotations

import datetime

import pytest
from scripts import facts

TODAY = datetime.datetime.now(datetime.timezone.utc).date()
NEW, OLD = (
    facts.Fact("docs/a.md:1", TODAY - datetime.timedelta(days), "https://a.example", "a thing")
    for days in (182, 183)
)


def test_given_a_page_then_each_of_its_facts_has_a_day_and_a_source() -> None:
    found = [*facts.facts()]

    assert len(found) > 10
    assert all(fact.day <= TODAY for fact in found)


def test_given_facts_of_others_then_those_of_half_a_year_ago_are_listed() -> None:
    assert facts.older([NEW, OLD], TODAY, facts.HALF_A_YEAR) == [OLD]


def test_given_old_facts_then_the_command_lists_them_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(facts, "facts", lambda: iter([NEW, OLD]))

    assert facts.main([]) == 1
    assert capsys.readouterr().out == f"{OLD.day} docs/a.md:1: a thing: https://a.example\n"

    monkeypatch.setattr(facts, "facts", lambda: iter([NEW]))

    assert facts.main([]) == 0


@pytest.mark.parametrize(
    "comment",
    ["fact: https://a.example x", "fact: 2026-11-30 x", "fact: 2026-11-30 https://a.example"],
)
def test_given_a_comment_of_another_form_then_its_place_is_named(
    monkeypatch: pytest.MonkeyPatch, comment: str
) -> None:
    page = facts.ROOT / "build" / "page.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(f"# Page\n<!-- {comment} -->\n")
    monkeypatch.setattr(facts, "pages", lambda: [page])
    try:
        with pytest.raises(ValueError, match=r"^build/page\.md:2: write <!-- fact: YYYY-MM-DD"):
            list(facts.facts())
    finally:
        page.unlink()
