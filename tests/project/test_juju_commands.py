"""Every `juju` command that people are given runs on Juju 3.6 and on 4."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXTS = ("*.md", "docs/**/*.md", "docs/**/*.yaml", "overlays/**/*.yaml", "terraform/**/*")
SOURCES = [
    *(path for pattern in TEXTS for path in sorted(ROOT.glob(pattern)) if path.is_file()),
    *(ROOT / name for name in ("actions.yaml", "config.yaml", "metadata.yaml")),
    *sorted(ROOT.glob("src/**/*.py")),
]
_NAME = r"(?:<[^>]+>|\{[^}]+\}|[\w-]+)"
_END = rf"{_NAME}(?::{_NAME})?"
RELATING = re.compile(
    rf"juju (?:integrate|relate|add-relation|remove-relation) ({_END}),? ({_END})"
)
NOT_IN_4 = re.compile(r"juju (?:set-application-base|upgrade-machine|upgrade-series|enable-ha)\b")
WITHOUT_KEY = re.compile(r"juju (?:ssh|scp)\b")
# The charm cannot see the other end's name; only one endpoint there fits the charm's.
ONE_END = {
    ("<application>:certificates", "<authority>"),
    ("{self._unit.app.name}:{ENDPOINT}", "{provider}"),
}
THE_SAME_TWO = ("the", "same")  # as the command before it


def paragraphs(path: Path) -> Iterator[str]:
    """Yield what a reader gets in one piece, on one line."""
    text = path.read_text()
    found = strings(text) if path.suffix == ".py" else re.split(r"\n\s*\n", text)
    return (" ".join(paragraph.replace("`", "").split()) for paragraph in found)


def strings(code: str) -> Iterator[str]:
    """Yield the strings of a module, with `{…}` for what a string leaves open."""
    parts: set[ast.AST] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.JoinedStr):
            parts.update(node.values)
            yield ast.unparse(node)[2:-1]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value


def vague(source: Path) -> list[tuple[str, str]]:
    """Return the ends of relations that name no endpoint, which Juju 4 finds ambiguous."""
    return [
        ends
        for paragraph in paragraphs(source)
        for ends in RELATING.findall(paragraph)
        if ends not in (*ONE_END, THE_SAME_TWO) and not all(":" in end for end in ends)
    ]


def lost(source: Path) -> list[str]:
    """Return what has a command that Juju 4 lacks, and does not say that it is for 3.6."""
    return [p for p in paragraphs(source) if NOT_IN_4.search(p) and "3.6" not in p]


def lacks_a_key(source: Path) -> bool:
    """Whether a page uses ssh and adds no key: a new model of Juju 4 has none."""
    text = source.read_text()
    return bool(WITHOUT_KEY.search(text)) and "juju add-ssh-key" not in text


def test_given_a_command_about_a_relation_then_it_names_the_endpoints():
    assert {path: found for path in SOURCES if (found := vague(path))} == {}


def test_given_a_command_that_4_lacks_then_the_text_says_that_it_is_for_3_6():
    assert {path: found for path in SOURCES if (found := lost(path))} == {}


def test_given_ssh_then_the_page_adds_a_key_to_the_model():
    assert [path for path in SOURCES if lacks_a_key(path)] == [], "use juju exec, or add a key"


def test_given_an_integration_of_terraform_then_it_names_both_endpoints():
    plans = "\n".join(path.read_text() for path in ROOT.glob("terraform/**/*.tf"))
    integrations = re.findall(r'(?ms)^resource "juju_integration".*?^}', plans)
    ends = re.findall(r"(?s)application {.*?}\n", "".join(integrations))

    assert ends
    assert all("endpoint " in end for end in ends)


def test_given_bad_commands_then_the_rules_find_them(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("Run `juju integrate aws-iam\neasyrsa:client` now.\n\njuju ssh easyrsa/0\n")
    module = tmp_path / "module.py"
    module.write_text('raise Blocked("run: juju remove-relation "\n  f"{app}:tls {other}")\n')

    assert vague(page) == [("aws-iam", "easyrsa:client")]
    assert vague(module) == [("{app}:tls", "{other}")]
    assert lacks_a_key(page)
    page.write_text("Run `juju set-application-base aws-iam ubuntu@22.04`.\n\nOn 3.6 too.\n")
    assert lost(page) == ["Run juju set-application-base aws-iam ubuntu@22.04."]
