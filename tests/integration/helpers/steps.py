"""Take the page's steps in a shell, as its readers do."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import jubilant
import pytest
from demo import keys, page, walk
from rich.console import Console

Taking = Callable[[page.Step | page.Wait], None]


@contextlib.contextmanager
def taking(juju: jubilant.Juju, home: Path) -> Iterator[Taking]:
    """Yield a function that takes a step in the model of ``juju``, from the checkout's folder.

    It raises AssertionError if the step went wrong, or one before it.
    """
    failed: list[str] = []

    def take(step: page.Step | page.Wait) -> None:
        assert not failed, f"a step before this one failed: {failed[0]}"
        output = io.StringIO()
        problem = walk.take(step, Console(file=output, width=200))
        if problem:
            failed.append(step.title)
        assert not problem, f"{step.title}: {problem}\n{output.getvalue()}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys.credentials_file()))
        patch.setenv("HOME", str(home))
        patch.setenv("JUJU_MODEL", juju.model or "")
        patch.chdir(Path(__file__).parents[3])
        yield take
