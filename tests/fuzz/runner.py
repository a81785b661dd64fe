"""Run targets in turn until the time is over, and make what they find small."""

from __future__ import annotations

import multiprocessing
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

_ROOT = str(Path(__file__).parents[2])
# How long, and how often, to try to make one finding small.
_TRIES = 400
_SECONDS = 10.0
# How long a target runs before another one has its turn, in seconds of the processor.
_SLICE = 1.0
_FORK = multiprocessing.get_context("fork")
# A single input may take this long, in seconds of the processor.
SLOW = 3.0
# How many ``hooks`` have run, actions among them.
counts: Counter[str] = Counter()


class Violation(Exception):
    """An input broke a rule. ``rule`` names it, and the text says what was seen."""

    def __init__(self, rule: str, seen: object = "") -> None:
        super().__init__(f"{rule}: {seen}" if seen else rule)
        self.rule = rule


@dataclass(frozen=True)
class Target:
    """What is fuzzed: ``make`` returns an input, ``check`` raises where it finds a fault."""

    name: str
    make: Callable[[Random], Any]
    check: Callable[[Any], None]
    weight: int = 1


@dataclass
class Finding:
    """A fault, by the first input that showed it."""

    target: str
    signature: str
    number: int
    sample: Any
    trace: str
    count: int = 1


@dataclass
class Run:
    """A target with what has become of it so far; ``seconds`` are the processor's."""

    target: Target
    seed: int
    inputs: int = 0
    seconds: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)

    def sample(self, number: int) -> Any:
        """Return input ``number`` of this seed."""
        return self.target.make(Random(f"{self.seed} {self.target.name} {number}"))

    def step(self) -> None:
        """Try the next input."""
        self.inputs += 1
        sample = self.sample(self.inputs)
        error = fault(self.target, sample)
        if error is None:
            return
        name = signature(error)
        if name in self.findings:
            self.findings[name].count += 1
            return
        sample = smallest(self.target, sample, name)
        error = fault(self.target, sample) or error
        trace = "".join(traceback.format_exception(error))
        self.findings[name] = Finding(self.target.name, name, self.inputs, sample, trace)


def run(runs: Sequence[Run], seconds: float, progress: Callable[[Run], None]) -> None:
    """Run the target that had the least time for its weight, again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        least = min(runs, key=lambda each: each.seconds / each.target.weight)
        _advance(least)
        progress(least)


def _advance(run: Run) -> None:
    """Try the next inputs of a target in a process of its own.

    ops.testing keeps some memory of every hook, and a crash is only that process's.
    """
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_step_for_a_while, args=(run, theirs))
    process.start()
    theirs.close()
    try:
        run.inputs, run.seconds, run.findings, hooks = ours.recv()
    except EOFError as error:
        name = run.target.name
        raise RuntimeError(f"{name} ended its process, after input {run.inputs}") from error
    counts.update(hooks=hooks - counts["hooks"])
    process.join()


def _step_for_a_while(run: Run, report: Connection) -> None:
    start = time.process_time()
    while time.process_time() < start + _SLICE:
        run.step()
    run.seconds += time.process_time() - start
    report.send((run.inputs, run.seconds, run.findings, counts["hooks"]))


def fault(target: Target, sample: Any) -> Exception | None:
    """Return what ``sample`` raises; None where all is well."""
    start = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target.check(sample)
    except Exception as error:  # noqa: BLE001  (that is what is looked for)
        return error
    if (spent := time.process_time() - start) > SLOW:
        return Violation("is slow", f"{spent:.1f} s")
    return None


def signature(error: BaseException) -> str:
    """Return a name for the fault: the same fault, the same name."""
    while error.__cause__ and type(error).__name__ == "UncaughtCharmError":
        error = error.__cause__
    if isinstance(error, Violation):
        return error.rule
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f.filename.startswith((f"{_ROOT}/src", f"{_ROOT}/lib"))]
    frame = (ours or frames)[-1]
    place = frame.filename.removeprefix(f"{_ROOT}/")
    return f"{type(error).__name__} in {place}:{frame.name}"


def smallest(target: Target, sample: Any, name: str) -> Any:
    """Return the smallest input found that still shows the fault ``name``."""
    tries, end = _TRIES, time.monotonic() + _SECONDS
    while tries > 0:
        for candidate in smaller(sample):
            tries -= 1
            error = fault(target, candidate)
            if error and signature(error) == name:
                sample = candidate
                break
            if tries <= 0 or time.monotonic() > end:
                return sample
        else:
            return sample
    return sample


def smaller(sample: Any) -> Iterator[Any]:
    """Return inputs that lack a part of ``sample``, the larger parts first."""
    if isinstance(sample, str | bytes):
        yield from _shorter(sample)
    elif isinstance(sample, dict):
        for key in sample:
            yield {k: v for k, v in sample.items() if k != key}
        for key, inner in sample.items():
            yield from ({**sample, key: new} for new in smaller(inner))
    elif isinstance(sample, list | tuple):
        kind = type(sample)
        for at, inner in enumerate(sample):
            yield kind([*sample[:at], *sample[at + 1 :]])
            yield from (kind([*sample[:at], new, *sample[at + 1 :]]) for new in smaller(inner))


def _shorter(sample: Any) -> Iterator[Any]:
    size = len(sample)
    while size and size > len(sample) // 16:
        for start in range(0, len(sample), size):
            yield sample[:start] + sample[start + size :]
        size //= 2
