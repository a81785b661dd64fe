"""The page that operators and people follow, every command of it, and what it leaves out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import jubilant
import pytest
from rich.console import Console
from testbed.demo import page, walk


@pytest.fixture(scope="module")
def at_home(
    juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pytest.MonkeyPatch]:
    """A shell of one's own: an empty home, the checkout as its folder, this file's model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("JUJU_MODEL", juju.model or "")
        patch.chdir(Path(__file__).parents[2])
        yield patch


@pytest.fixture(scope="module")
def failed() -> list[str]:
    """Titles of the steps that went wrong: the ones after them cannot go right."""
    return []


@pytest.mark.parametrize(
    "step", page.steps("1.28", "easyrsa"), ids=lambda step: step.title.replace(" ", "-")
)
def test_given_control_plane_1_28_and_easyrsa_then_the_step_goes_as_the_page_says(
    at_home: pytest.MonkeyPatch, failed: list[str], step: page.Step | page.Settle
) -> None:
    assert not failed, f"a step before this one failed: {failed[0]}"
    output = io.StringIO()
    problem = walk.take(step, Console(file=output, width=200))
    if problem:
        failed.append(step.title)
    assert not problem, f"{problem}\n{output.getvalue()}"
