"""Write the pages of docs/reference that say what the code has: options, actions, statuses.

    scripts/with-tools python -m scripts.reference

`make docs` runs this. tests/project/test_pages.py fails if a page is not what this would
write.
"""

from __future__ import annotations

import re
import string
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
# The catalogue is the charm's, which lies outside of Python's path.
sys.path.insert(0, str(ROOT / "src"))

import statuses  # noqa: E402 (see above)

FOLDER = ROOT / "docs/reference"
# Sphinx lists headings of this depth beside a page.
_FRONT = "---\ntocdepth: 2\n---\n<!-- Made of {} by `make docs`: edit that, not this. -->"
# What an option or an action says of where to read on.
_PAGE_ADDRESS = re.compile(
    r"https://github\.com/charmed-kubernetes/charm-aws-iam/blob/main/docs/(\S+\.md)"
)
_ROLES = {"requires": "requirer", "provides": "provider", "peers": "among this charm's units"}
# Each kind of status: its heading, what is said of it, and the parts of statuses.yaml with its
# texts.
KINDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Blocked",
        (
            "You must act. The command that helps follows `run:`. [When the unit notices what you "
            "did](../how-to/deploy.md#when-a-change-takes-effect)."
        ),
        ("blocked", "check-python.sh", "options"),
    ),
    (
        "Waiting",
        (
            "The unit looks again by itself. If it lasts, see the status of the party that it "
            "waits for."
        ),
        ("waiting",),
    ),
    (
        "Active",
        "The status of an active unit has several such parts.",
        ("active",),
    ),
    (
        "Broken mappings",
        (
            "These follow `broken mapping:` and the name of a mapping. An `arn` cannot be edited: "
            "delete the mapping, and create it again. Edit all else with `kubectl edit "
            "iamidentitymapping NAME`."
        ),
        ("mapping",),
    ),
    (
        "Entries that are not applied",
        "These follow `not applied:` and the place of the entry.",
        ("entry",),
    ),
)
# The texts of the charm by their group and their name.
TEXTS = {
    f"{group.__name__}.{name}": text
    for group in vars(statuses).values()
    if isinstance(group, type)
    for name, text in vars(group).items()
    if isinstance(text, statuses.Text)
}


def pages() -> dict[Path, str]:
    """Return the text of each page by its path."""
    found = {
        "options": (_options, "config.yaml"),
        "actions": (_actions, "actions.yaml"),
        "endpoints": (_endpoints, "metadata.yaml"),
        "metrics": (_metrics, "docs/reference/metrics.yaml"),
    }
    texts = {
        name: _page(source, parts(yaml.safe_load((ROOT / source).read_text())))
        for name, (parts, source) in found.items()
    }
    texts["statuses"] = _page("docs/reference/statuses.yaml and src/statuses.py", _statuses())
    return {FOLDER / f"{name}.md": text for name, text in texts.items()}


def _page(source: str, parts: Iterable[str]) -> str:
    return "\n\n".join([_FRONT.format(source), *parts]) + "\n"


def _options(config: Mapping[str, Any]) -> Iterable[str]:
    yield "# Options"
    yield _prose("""
    Set one with `juju config aws-iam OPTION=VALUE`. A value that cannot work blocks the unit,
    and the status names the option.
    """)
    for name, option in config["options"].items():
        yield f"## `{name}`"
        default = option.get("default", "")
        yield f"Type {option['type']}, default {_code(default) if default != '' else 'empty'}."
        yield _linked(option["description"])


def _actions(actions: Mapping[str, Any]) -> Iterable[str]:
    yield "# Actions"
    yield _prose("""
    Run one with `juju run aws-iam/leader ACTION PARAMETER=VALUE`. It exits with 0 even if the
    action fails: a script adds `--format json`, and looks at `status` or `message`.
    """)
    for name, action in actions.items():
        yield f"## `{name}`"
        yield _linked(action["description"])
        if params := action.get("params"):
            required = action.get("required", [])
            rows = [_parameter(key, found, key in required) for key, found in params.items()]
            yield _table(("parameter", "what it is"), rows)


def _parameter(name: str, found: Mapping[str, Any], required: bool) -> tuple[str, ...]:
    """Return the row of a parameter, with its type if it is not any text, and its default."""
    kind = "" if found["type"] == "string" else f", {found['type']}"
    if "enum" in found:
        kind = f", {' or '.join(map(_code, found['enum']))}"
    if "minimum" in found:
        kind = f"{kind}, {found['minimum']} or more"
    default = found.get("default", "")
    shown = ", required" if required else f", default {_code(default)}" if default != "" else ""
    return f"`{name}`{kind}{shown}", _prose(found["description"])


def _endpoints(metadata: Mapping[str, Any]) -> Iterable[str]:
    yield "# Endpoints"
    yield "Connect one with `juju integrate aws-iam:ENDPOINT APPLICATION:ENDPOINT`."
    for role in ("requires", "provides", "peers"):
        for name, found in metadata.get(role, {}).items():
            yield f"## `{name}`"
            parts = [f"Interface `{found['interface']}`", _ROLES[role]]
            if role != "peers":
                parts.append("optional" if found.get("optional") else "needed")
                limit = found.get("limit")
                parts.append(f"at most {limit} relation" if limit else "any number of relations")
            if found.get("scope") == "container":
                parts.append("with units on the same machine only")
            yield ", ".join(parts) + "."
            yield _prose(found["description"])


def _statuses() -> Iterable[str]:
    yield "# Statuses"
    yield _prose("""
    What a line of `juju status aws-iam` does not say itself; other lines say it all. `<Words>`
    stand for what differs. A line of more than 300 characters lacks its middle.
    """)
    found = meanings()
    for heading, introduction, parts in KINDS:
        yield f"## {heading}"
        yield introduction
        texts = [
            (about.get("text") or _shown(TEXTS[f"{part}.{name}"], words), about.get("more"))
            for part in parts
            for name, about in found[part].items()
            for words in [{**found["words"], **about.get("words", {})}]
        ]
        for line, more in texts:
            if more:
                yield f"### `{line}`"
                yield more


def meanings() -> dict[str, Any]:
    """Return what statuses.yaml adds to each text, by its group and its name."""
    return yaml.safe_load((FOLDER / "statuses.yaml").read_text())


def blanks(text: statuses.Text) -> Collection[str]:
    """Return the names of the blanks of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text.line) if name}


class Word(str):
    """What a blank shows in place of a value, whatever the format of the value."""

    __slots__ = ()

    def __format__(self, _: str, /) -> str:
        return str(self)


def _shown(text: statuses.Text, words: Mapping[str, str]) -> str:
    """Return a text with ``words``, or the name in brackets, in each of its blanks."""
    return text(**{name: Word(words.get(name, f"<{_spelt(name)}>")) for name in blanks(text)})


def _spelt(name: str) -> str:
    return name.replace("arn", "ARN").replace("_", " ")


def _metrics(found: Iterable[Mapping[str, str]]) -> Iterable[str]:
    yield "# Metrics"
    yield _prose("""
    Each pod serves these on port 21362 at `/metrics`, over HTTPS, for [the
    alerts](../how-to/alerts.md) and the dashboard: [how to collect
    them](../how-to/watch-it-with-cos.md).
    """)
    head = ("metric", "kind", "labels", "what it says")
    rows = [(f"`{each['metric']}`", each["kind"], each["labels"], each["means"]) for each in found]
    yield _table(head, rows)


def metrics_in_use() -> set[str]:
    """Return the metrics that the alert rules and the dashboard ask for."""
    files = [*(ROOT / "src").glob("prometheus_alert_rules/*"), *(ROOT / "src").glob("*/*.json")]
    text = "\n".join(file.read_text() for file in files)
    names = re.findall(r"\b(?:aws_iam_authenticator|process)_\w+", text)
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in names}


def _linked(text: str) -> str:
    """Return a description as Markdown, in which the address of a page is a link to it."""
    return _PAGE_ADDRESS.sub(lambda found: f"[{_title(found[1])}](../{found[1]}).", _prose(text))


def _title(page: str) -> str:
    (title,) = re.findall(r"\A# (.+)", (ROOT / "docs" / page).read_text())
    return title


def _prose(text: str) -> str:
    """Return a description as Markdown, on one line for each paragraph."""
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "\n\n".join(_escaped(part) for part in paragraphs)


def _escaped(text: str) -> str:
    """Escape what Markdown would read as HTML, except in code."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", r"\<").replace("|", r"\|") for part in parts[::2]]
    return "`".join(parts)


def _code(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Write every page."""
    for path, text in pages().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
