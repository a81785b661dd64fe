"""Every point of every step, by several sites at the same time."""

from __future__ import annotations

import difflib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import yaml
from tests.integration.kill.points import Point, Shard
from tests.integration.kill.site import NotSettledError, Run, Site

DEPLOYMENT, AUTHORITY, REMOVAL = "first deployment", "change of the authority", "removal"
_ATTEMPTS = 3
_SAID_EVERY_SECONDS = 30.0


@dataclass(frozen=True)
class Result:
    """One point: where it was, and what was wrong at the end; empty where nothing was.

    Without a point: an undisturbed run that did not end as the first one."""

    point: Point | None
    where: str
    seconds: float
    problem: str


@dataclass
class Sweep:
    """The undisturbed runs, the points that are left, and the results so far."""

    sites: Sequence[Site]
    shard: Shard
    say: Callable[[str], None]
    undisturbed: dict[str, Run] = field(default_factory=dict)
    results: dict[str, list[Result]] = field(default_factory=dict)
    _left: dict[str, deque[Point]] = field(default_factory=dict)
    _attempts: Counter[tuple[str, Point]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _said: float = 0.0

    def run(self) -> None:
        """Prepare the sites, run every step undisturbed, then once for each point."""
        self.say(f"{self.shard}, {len(self.sites)} models at the same time")
        with ThreadPoolExecutor(len(self.sites)) as pool:
            list(pool.map(Site.prepare, self.sites))
            self._run_undisturbed(self.sites[0])
            list(pool.map(self._work, self.sites))

    def _run_undisturbed(self, site: Site) -> None:
        steps = {
            DEPLOYMENT: site.deploy,
            AUTHORITY: site.change_authority,
            REMOVAL: site.remove,
        }
        for name, step in steps.items():
            run = self.undisturbed[name] = step(None)
            points = self.shard.part(list(run.counted.points()))
            self._left[name], self.results[name] = deque(points), []
            self.say(f"{name}: {run.counted}; {len(points)} points, {run.seconds:.1f} s a run")

    def _work(self, site: Site) -> None:
        while self._left[DEPLOYMENT] or self._left[REMOVAL]:
            deployed = self._try(site, DEPLOYMENT, site.deploy)
            removed = deployed and self._left[REMOVAL] and self._try(site, REMOVAL, site.remove)
            if not removed:
                site.discard()
        while self._left[AUTHORITY]:
            site.deploy(None)
            while self._left[AUTHORITY] and self._try(site, AUTHORITY, site.change_authority):
                pass
            site.discard()

    def _try(self, site: Site, step: str, run: Callable[[Point | None], Run]) -> bool:
        """Run a step with the next of its points, or undisturbed where none is left. Whether
        it ended as it should, and the site is good for another step."""
        with self._lock:
            point = self._left[step].popleft() if self._left[step] else None
        began = time.monotonic()
        died, where = False, ""
        try:
            done = run(point)
            died, where = done.died, done.where
            problem = difference(self.undisturbed[step].end, done.end)
        except NotSettledError as error:
            problem = str(error)
        with self._lock:
            self._note(step, point, died, Result(point, where, time.monotonic() - began, problem))
        return not problem

    def _note(self, step: str, point: Point | None, died: bool, result: Result) -> None:
        if point and not died and not result.problem:
            # The hooks came in another order, with fewer calls: their sum was not reached.
            self._attempts[step, point] += 1
            if self._attempts[step, point] < _ATTEMPTS:
                self._left[step].append(point)
                return
            result = replace(result, problem=f"no hook came that far in {_ATTEMPTS} runs")
        if point or result.problem:
            self.results[step].append(result)
        if result.problem:
            self.say(f"{step}, {point}, {result.where}:\n{result.problem}")
        if time.monotonic() > self._said + _SAID_EVERY_SECONDS:
            self._said = time.monotonic()
            left = ", ".join(f"{name} {len(points)}" for name, points in self._left.items())
            self.say(f"points left: {left}")


def difference(wanted: object, found: object) -> str:
    """The lines in which two ends differ; empty where they are alike."""
    texts = [yaml.safe_dump(end, width=200).splitlines() for end in (wanted, found)]
    return "\n".join(
        difflib.unified_diff(
            texts[0], texts[1], fromfile="undisturbed", tofile="killed", lineterm="", n=2
        )
    )
