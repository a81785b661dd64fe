"""The commands and statuses that a page of docs/how-to shows its readers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import textwrap
from pathlib import Path

import jubilant

# How the commands begin that a reader runs.
COMMANDS = ("juju ", "kubectl ", "jq ", "install ", "sed ", "KUBECONFIG=")
COPY = re.compile(r"^juju scp (\S+):(\S+) (\S+)$", re.MULTILINE)
FOLDER = Path(__file__).parents[3] / "docs/how-to"


class Reader:
    """Runs what a page shows, in a folder of their own with the files that pages link."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(FOLDER / "files", folder, dirs_exist_ok=True)

    def save(self, page: str, heading: str, name: str = "mappings.yaml") -> None:
        """Save the file that a page shows first below a heading; of mappings, the first list."""
        begin = "- " if name == "mappings.yaml" else ""
        found = (block for block in blocks(page, heading) if block.startswith(begin))
        (self.folder / name).write_text(next(found))

    def follow(self, page: str, heading: str) -> str:
        """Run every command below a heading, and return what they print."""
        commands = [block for block in blocks(page, heading) if block.startswith(COMMANDS)]
        assert commands, f"{page} has no command below {heading!r}"
        return "".join(map(self.run, commands))

    def run(self, block: str) -> str:
        """Run commands in a shell, and return what they print."""
        done = subprocess.run(
            ["/bin/bash", "-e", "-o", "pipefail", "-c", without_key(block)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout


def without_key(block: str) -> str:
    """Return commands that need no SSH key, which a page has its readers add on Juju 4: the
    testbed takes none there.
    """
    if os.environ.get("TESTBED_JUJU") != "4.1":
        return block
    return COPY.sub(r"juju exec --unit \1 -- cat /home/ubuntu/\2 > \3", block)


def run(juju: jubilant.Juju, command: str) -> None:
    """Run a command of Juju that a page or a status shows."""
    juju.cli(*shlex.split(command)[1:])


def shown(page: str, heading: str) -> list[str]:
    """Return the indented lines below a heading: commands, and what comes of them."""
    lines = _below(page, heading).splitlines()
    return [line.strip() for line in lines if line.startswith("    ")]


def blocks(page: str, heading: str) -> list[str]:
    """Return the blocks of indented lines below a heading: commands, files, what is printed."""
    return indented(_below(page, heading))


def indented(text: str) -> list[str]:
    """Return the blocks of indented lines in a page's text."""
    found = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def _below(page: str, heading: str) -> str:
    text = (FOLDER / page).read_text()
    below = rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)"
    found = re.search(below, text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no heading {heading!r}"
    return found[1]
