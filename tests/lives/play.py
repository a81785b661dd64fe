"""Plays lives for a while, or a number of them, and tells how it goes."""

from __future__ import annotations

import argparse
import collections
import os
import random
import time
from collections.abc import Collection
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.fakes.once import read_once
from tests.lives import process, rules, steps, story
from tests.lives.broken import Broken
from tests.lives.life import Life
from tests.lives.rules import LifeMachine
from tests.lives.steps import LASTING, Story

# How many lives `make test` plays, and how many are drawn from one seed: of more than these,
# Hypothesis draws most by changing a little of those that were drawn before.
LIVES, BATCH, STEPS = 300, 9, 12
# How often each promise is asked at least.
ASKED = 10
_LINE_SECONDS = 10
# The stories of long runs that broke a promise.
KEPT = process.ROOT / ".hypothesis/lives.txt"
# A life takes longer than Hypothesis expects of an example, and draws more.
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


def main() -> int:
    options = _options()
    process.quieten()
    with read_once():
        if told := os.environ.get("STORY"):
            return replay(eval(told, {**vars(steps)}))
        return Player(options).run()


def replay(played: Story) -> int:
    """Play one story, and say what it breaks."""
    broken, notes = play(played)
    print(story.told(played, notes, broken))
    return 1 if broken else 0


def play(played: Story, known: Collection[str] = ()) -> tuple[Broken | None, list[str]]:
    """Play one story. Return what it breaks but for what is ``known``, and what happened."""
    life = Life(played.begin, known=known)
    try:
        for step in played.steps:
            life.take(step)
    except Broken as broken:
        return broken, life.notes
    finally:
        life.close()
    return None, life.notes


def shorten(played: Story, signature: str, known: Collection[str], plays: int = 150) -> Story:
    """Return a shorter story that breaks the same: without the steps, the faults and the details
    that it does not need."""
    best, left = played, plays
    while True:
        for shorter in story.shorter(best):
            if left <= 0:
                return best
            left -= 1
            broken, _ = play(shorter, known)
            if broken and broken.signature == signature:
                best = shorter
                break
        else:
            return best


class Player:
    """Plays lives, batch after batch, and counts."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.counts: collections.Counter[str] = collections.Counter()
        # What a former checkout breaks is not kept.
        self._is_former = bool(os.environ.get("LIVES_SRC"))
        # What is found once goes on to break, so lives take no more notice of it.
        self.muted = set[str]()
        self.found: dict[str, Story] = {}
        self._shown = self._began = time.monotonic()

    def run(self) -> int:
        self._play_kept()
        seed = first = self.options.seed or random.randrange(1, 1_000_000)
        print(f"seed {first}", flush=True)
        while not self._is_over():
            self._batch(seed)
            seed += 1001
        self._table()
        for signature, drawn in self.found.items():
            self._tell(signature, drawn)
        is_red = self.found or self._unreached()
        if is_red:
            print(f"again: make lives SEED={first}")
        return 1 if is_red else 0

    def _play_kept(self) -> None:
        """Play first what broke a promise in a former long run. A seed alone decides otherwise."""
        if not self.options.minutes or self._is_former or not KEPT.exists():
            return
        kept = [eval(line, {**vars(steps)}) for line in KEPT.read_text().splitlines()]
        KEPT.unlink()
        for story_ in kept:
            if (broken := play(story_, self.muted)[0]) is not None:
                self._find(story_, broken)

    def _is_over(self) -> bool:
        if self.options.minutes:
            return time.monotonic() - self._began >= self.options.minutes * 60
        lives, enough = self.counts["lives"], self.options.lives
        # What is drawn by chance may take longer.
        return lives >= enough and (not self._unreached() or lives >= 2 * enough)

    def _batch(self, seed: int) -> None:
        player = self

        class Machine(LifeMachine):
            counts, known = player.counts, player.muted

        Machine.on_end = staticmethod(self._ended)
        run_state_machine_as_test(
            hypothesis.seed(seed)(Machine),
            settings=settings(
                max_examples=min(BATCH, player.options.lives),
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                derandomize=False,
                suppress_health_check=_SLOW,
                phases=[Phase.generate],
                verbosity=hypothesis.Verbosity.quiet,
            ),
        )

    def _find(self, drawn: Story, broken: Broken) -> None:
        if broken.signature in self.muted:
            return
        self.found[broken.signature] = drawn
        self.muted.add(broken.signature)
        print(f"{broken} (after {self.counts['hooks']:,} hooks)", flush=True)
        print(f"  {story.code(drawn)}", flush=True)
        if self.options.minutes and not self._is_former:
            KEPT.parent.mkdir(exist_ok=True)
            with KEPT.open("a") as file:
                file.write(f"{story.code(drawn)}\n")

    def _tell(self, signature: str, drawn: Story) -> None:
        """Print what is broken, by the shortest story that breaks it."""
        others = self.muted - {signature}
        again, _ = play(drawn, others)
        repeats = again is not None and again.signature == signature
        shortest = shorten(drawn, signature, others) if repeats else drawn
        broken, notes = play(shortest, others)
        print(f"\n{signature}", flush=True)
        if not repeats:
            print("  its story does not repeat")
        print(story.told(shortest, notes, broken), flush=True)

    def _ended(self, machine: Any, broken: Broken | None) -> None:
        if machine.life:
            self.counts["lives"] += 1
            self.counts["requests"] += machine.life.transport.requests
            for kind, number in machine.life.transport.met.items():
                self.counts[f"fault {kind}"] += number
            for kind, number in machine.life.checks.items():
                self.counts[f"promise {kind}"] += number
        if broken:
            self._find(machine.story, broken)
        now = time.monotonic()
        if now - self._shown >= _LINE_SECONDS:
            self._shown = now
            c = self.counts
            print(
                f"{now - self._began:.0f} s: {c['lives']:,} lives, {c['hooks']:,} hooks, "
                f"{c['actions']:,} actions, {c['requests']:,} requests, {len(self.found)} found",
                flush=True,
            )

    def _unreached(self) -> list[str]:
        """What was never drawn or met in this run, and what was hardly asked."""
        wanted = [f"rule {do}" for do in rules.STEPS]
        wanted += [f"fault {kind}" for kind in (*rules.KINDS, "between")]
        wanted += [f"fault {kind} for ever" for kind in LASTING]
        never = [each for each in wanted if not self.counts[each]]
        promises = [f"promise P{number}" for number in range(1, 19)]
        return never + [each for each in promises if self.counts[each] < ASKED]

    def _table(self) -> None:
        for key in sorted(self.counts):
            print(f"{key:40} {self.counts[key]:>10,}")
        print(f"{time.monotonic() - self._began:.0f} s, {len(self.found)} found")
        for each in self._unreached():
            print(f"not reached: {each}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make lives", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--lives", type=int, default=LIVES)
    parser.add_argument("--seed", type=int, default=0, help="drawn unless it is given")
    return parser.parse_args()
