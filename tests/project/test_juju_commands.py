"""Every `juju` command that people are given runs on Juju 3.6 and on 4."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXTS = ("*.md", "docs/**/*.md", "docs/**/*.yaml", "overlays/**/*.yaml", "terraform/**/*.md")
CODE = ("actions.yaml", "config.yaml", "metadata.yaml", "src/**/*.py")
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text()
    for pattern in (*TEXTS, *CODE)
    for path in sorted(ROOT.glob(pattern))
}
_NAME = r"(?:<[^>]+>|\{[^}]+\}|[\w-]+)"
_END = rf"{_NAME}(?::{_NAME})?"
RELATING = re.compile(
    rf"juju (?:integrate|relate|add-relation|remove-relation) ({_END}),? ({_END})"
)
NOT_IN_4 = re.compile(r"juju (?:set-application-base|upgrade-machine|upgrade-series|enable-ha)\b")
# The charm cannot see the other end's name; only one endpoint there fits the charm's.
ONE_END = {
    ("<application>:certificates", "<authority>"),
    ("{charm.app.name}:{ENDPOINT}", "{provider}"),
}
THE_SAME_TWO = ("the", "same")  # as the command before it


def paragraphs(text: str) -> list[str]:
    """Return what a reader gets in one piece, on one line; in code, strings in one piece too."""
    joined = re.sub(r'"\s*\n\s*f?"', "", text)
    return [" ".join(part.replace("`", "").split()) for part in re.split(r"\n\s*\n", joined)]


def vague(text: str) -> list[tuple[str, str]]:
    """Return the ends of relations that name no endpoint, which Juju 4 finds ambiguous."""
    return [
        ends
        for paragraph in paragraphs(text)
        for ends in RELATING.findall(paragraph)
        if ends not in (*ONE_END, THE_SAME_TWO) and not all(":" in end for end in ends)
    ]


def lost(text: str) -> list[str]:
    """Return what has a command that Juju 4 lacks, and does not say that it is for 3.6."""
    return [p for p in paragraphs(text) if NOT_IN_4.search(p) and "3.6" not in p]


def lacks_a_key(text: str) -> bool:
    """Whether a page uses ssh and adds no key: a new model of Juju 4 has none."""
    return bool(re.search(r"juju (?:ssh|scp)\b", text)) and "juju add-ssh-key" not in text


def test_given_a_command_then_it_names_endpoints_and_runs_on_juju_4():
    assert {name: found for name, text in SOURCES.items() if (found := vague(text))} == {}
    assert {name: found for name, text in SOURCES.items() if (found := lost(text))} == {}
    assert [name for name, text in SOURCES.items() if lacks_a_key(text)] == [], "use juju exec"
