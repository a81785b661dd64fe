"""Write the pages of docs/reference that say what the code has: endpoints, metrics, statuses.

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
# Each kind of status: its heading, what is said of it, and the parts of statuses.yaml with its
# texts.
KINDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Blocked",
        (
            "You must act, and the line says how. [When the unit notices what you "
            "did](../how-to/deploy.md#when-a-change-takes-effect)."
        ),
        ("blocked", "check-python.sh", "options"),
    ),
    (
        "Waiting",
        (
            "The unit looks again by itself. If the line stays, see the status of the party that "
            "it waits for."
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


def _endpoints(metadata: Mapping[str, Any]) -> Iterable[str]:
    yield "# Endpoints"
    yield _prose("""
    `juju integrate aws-iam:ENDPOINT APPLICATION:ENDPOINT` connects one. Only `certificates` and
    one of the control plane's two are needed.
    """)
    yield _list(
        (f"`{name}`", f"`{found['interface']}`", _prose(found["description"]))
        for role in ("requires", "provides")
        for name, found in metadata[role].items()
    )
    yield "## The library of the interface `aws-iam`"
    yield _prose("""
    [charms.aws_iam.v0.aws_iam](https://github.com/charmed-kubernetes/charm-aws-iam/blob/main/lib/charms/aws_iam/v0/aws_iam.py)
    has both sides, and an example of each. Until it is on Charmhub, copy the file. A control plane
    with the option `authn-webhook-endpoint` needs no library.
    """)


def _statuses() -> Iterable[str]:
    yield "# Statuses"
    yield _prose("""
    What a line of `juju status aws-iam` does not say itself. Lines that are not here say it all.
    `<Words>` differ, and the command that follows `; run:` is left out.
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
        rows = [f"- `{line.partition('; ')[0]}`: {_prose(more)}" for line, more in texts if more]
        yield "\n".join(rows)


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
    alerts and the dashboard](../how-to/alerts.md).
    """)
    yield _list((f"`{each['metric']}`", each["labels"], each["means"]) for each in found)


def metrics_in_use() -> set[str]:
    """Return the metrics that the alert rules and the dashboard ask for."""
    files = [*(ROOT / "src").glob("prometheus_alert_rules/*"), *(ROOT / "src").glob("*/*.json")]
    text = "\n".join(file.read_text() for file in files)
    names = re.findall(r"\b(?:aws_iam_authenticator|process)_\w+", text)
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in names}


def _prose(text: str) -> str:
    """Return a description as Markdown, on one line for each paragraph."""
    paragraphs = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "\n\n".join(_escaped(part) for part in paragraphs)


def _escaped(text: str) -> str:
    """Escape what Markdown would read as HTML, except in code."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", r"\<").replace("|", r"\|") for part in parts[::2]]
    return "`".join(parts)


def _list(items: Iterable[tuple[str, str, str]]) -> str:
    """Return a list of names, each with a detail if there is one, and what it is."""
    return "\n".join(
        f"- {name} ({detail}): {text}" if detail else f"- {name}: {text}"
        for name, detail, text in items
    )


def main() -> None:
    """Write every page."""
    for path, text in pages().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
