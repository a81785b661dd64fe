"""The programs that answer: built once into the testbed's cache, asked in lines of JSON."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from rich.console import Console

from testbed.programs import build
from testbed.programs.modules import Module


class Oracle:
    """A running program that writes one line for each line that it reads."""

    def __init__(self, questions: IO[str], answers: IO[str]) -> None:
        self._questions = questions
        self._answers = answers

    def ask(self, question: Any) -> Any:
        """Return the answer to a question, both as JSON has them. Raise EOFError if it ended."""
        self._questions.write(json.dumps(question) + "\n")
        self._questions.flush()
        answer = self._answers.readline()
        if not answer:
            raise EOFError(f"the program ended at {question!r:.200}")
        return json.loads(answer)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Oracle]:
    """Build the Go module of a folder, unless the cache has it, and run its program."""
    module = Module(folder)
    program = build.programs(Console(stderr=True), [module]) / module.name
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield Oracle(process.stdin, process.stdout)
