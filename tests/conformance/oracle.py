"""The programs that answer: asked in lines of JSON."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

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
    """Run the program of a folder's Go module, which `scripts/check` has built."""
    module = Module(folder)
    program = build.built([module]) / module.name
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield Oracle(process.stdin, process.stdout)
