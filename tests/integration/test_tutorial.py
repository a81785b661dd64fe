"""The tutorial: every command in its order, and what the page says comes of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo import page
from tests.integration.helpers import how_to
from tests.integration.helpers.steps import Taking

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs/tutorial.md"
# These sections are about the lab that the test runs in.
ABOUT_THE_LAB = ("Open a testbed", "End")
COMMANDS = ("juju ", "kubectl ", "mkdir ", "export ", "cd ", "cat ")
# Pods start, and API servers restart or remember an answer.
RETRY_SECONDS = 180.0
# The steps of other pages give their keys by these variables, before which no profile counts.
OWN_KEYS = "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"


def steps() -> Iterator[page.Step]:
    """Yield the page's commands, each with the output that the page shows for it."""
    shell = [OWN_KEYS]
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        title = section.partition("\n")[0]
        if title in ABOUT_THE_LAB:
            continue
        blocks = [block.strip() for block in how_to.indented(section)]
        for command, following in itertools.pairwise([*blocks, ""]):
            if not command.startswith(COMMANDS):
                continue
            shows = "" if following.startswith(COMMANDS) else following
            yield page.Step(
                title,
                "\n".join([*shell, how_to.without_key(command)]),
                shows,
                code=1 if shows.lower().startswith("error") else 0,
                retry_seconds=RETRY_SECONDS if shows else 0.0,
            )
            shell += re.findall(r"^(?:export|cd) .*", command, re.MULTILINE)
            if "run: " in shows:
                yield page.Step("Run the command of the status", page.RUN_STATUS_COMMAND)


@pytest.mark.parametrize("step", [*steps()], ids=lambda step: step.title.replace(" ", "-"))
def test_given_the_tutorial_then_the_step_goes_as_the_page_says(
    take: Taking, step: page.Step
) -> None:
    take(step)
