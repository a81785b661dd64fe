"""Kill hooks at every point of every step, at several sites at the same time."""

from __future__ import annotations

import difflib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import yaml
from tests.integration.kill.points import CALL, Wave
from tests.integration.kill.site import NotSettledError, Run, Site

DEPLOYMENT, AUTHORITY, REMOVAL = "first deployment", "change of the authority", "removal"
_ATTEMPTS = 6
_SAID_EVERY_SECONDS = 20.0


@dataclass
class Result:
    """What came of a wave: how many hooks of each name must die, and have died so far, and what
    was wrong at the end of a run, or nothing."""

    points: Counter[str]
    died: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    problem: str = ""

    @property
    def missing(self) -> Counter[str]:
        """Return the points that no run has reached."""
        return self.points - self.died


@dataclass
class Sweep:
    """The undisturbed runs, and what came of each step's waves so far.

    No hook dies in the steps that are ``spared``.
    """

    sites: Sequence[Site]
    say: Callable[[str], None]
    spared: Collection[str] = ()
    undisturbed: dict[str, Run] = field(default_factory=dict)
    results: dict[str, dict[Wave, Result]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _left: dict[str, deque[tuple[Wave, ...]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _said: float = 0.0

    def run(self) -> None:
        """Prepare the sites, run every step undisturbed, and then with every wave."""
        with ThreadPoolExecutor(len(self.sites)) as pool:
            list(pool.map(Site.prepare, self.sites))
            self._run_undisturbed(self.sites[0])
            list(pool.map(self._work, self.sites))
        if any(result.missing for of in self.results.values() for result in of.values()):
            self._drop_points_of_chance(self.sites[0])

    def _run_undisturbed(self, site: Site) -> None:
        for name, step in _steps(site).items():
            run = self.undisturbed[name] = step()
            self._left[name] = deque(() if name in self.spared else run.step.runs())
            waves = () if name in self.spared else run.step.waves()
            self.results[name] = {wave: Result(run.step.points(wave)) for wave in waves}
            self.say(f"{name}: {run.step}, {run.seconds:.1f} s undisturbed")

    def _drop_points_of_chance(self, site: Site) -> None:
        """Drop the missing points that a second undisturbed run lacks, too.

        How often a hook asks for its pods, and whether a second hook has to, depends on the
        machine. So does how much a second hook of the same name has left to do.
        """
        for name, step in _steps(site).items():
            again = step().step
            for wave, result in self.results[name].items():
                certain = result.points & (again.points(wave) | result.died)
                if by_chance := result.points - certain:
                    self.say(f"{name}, {wave}: a second undisturbed run lacks {by_chance}")
                result.points = certain
                for hook in result.missing:
                    if result.died[hook]:
                        # The retry of the first hook of this name has done the next one's work.
                        self.say(f"{name}, {wave}: {hook} died {result.died[hook]} times at most")
                        result.points[hook] = result.died[hook]

    def _work(self, site: Site) -> None:
        while self._left[DEPLOYMENT] or self._left[REMOVAL]:
            deployed = self._try(site, DEPLOYMENT, site.deploy)
            removed = deployed and self._left[REMOVAL] and self._try(site, REMOVAL, site.remove)
            if not removed:
                site.discard()
        while self._left[AUTHORITY]:
            site.deploy()
            while self._left[AUTHORITY] and self._try(site, AUTHORITY, site.change_authority):
                pass
            site.discard()

    def _try(self, site: Site, step: str, run: Callable[[Sequence[Wave]], Run]) -> bool:
        """Run a step with its next waves, or undisturbed if none is left.

        Return whether it ended as the undisturbed run did, so that the site can take another step.
        """
        with self._lock:
            waves = self._left[step].popleft() if self._left[step] else ()
        try:
            done = run(waves)
            problem, deaths = difference(self.undisturbed[step].end, done.end), done.deaths
        except NotSettledError as error:
            problem, deaths = str(error), ()
        about = f"{step}, {', and then '.join(map(str, waves)) or 'undisturbed'}"
        with self._lock:
            if problem:
                self.problems.append(f"{about}: {', '.join(map(str, deaths)) or '?'}")
                self.say(f"{self.problems[-1]}\n{problem}")
            for wave in dict.fromkeys(waves):
                died = Counter(death.hook for death in deaths if death.number == wave.number)
                self._note(step, wave, died, problem)
            if time.monotonic() > self._said + _SAID_EVERY_SECONDS:
                self._said = time.monotonic()
                left = ", ".join(f"{name} {len(runs)}" for name, runs in self._left.items())
                self.say(f"{about}: {len(deaths)} died; runs left: {left}")
        return not problem

    def _note(self, step: str, wave: Wave, died: Counter[str], problem: str) -> None:
        result = self.results[step][replace(wave, hook="")]
        result.died |= died
        result.attempts += 1
        result.problem += problem
        missing = [hook for hook in result.missing if wave.hook in ("", hook)]
        if missing and not result.problem and result.attempts < _ATTEMPTS:
            # The hooks ran in another order, and there were fewer of them: a retry does the work
            # of a later hook. So the wave comes alone, and at last for the retries too, or, as far
            # as the testbed can tell hooks apart, for the hooks alone that have not died.
            if wave.what == CALL and result.attempts > 1:
                self._left[step] += [(replace(wave, hook=hook),) for hook in missing]
            else:
                self._left[step].append((wave,) * result.attempts)


def _steps(site: Site) -> dict[str, Callable[[], Run]]:
    return {DEPLOYMENT: site.deploy, AUTHORITY: site.change_authority, REMOVAL: site.remove}


def difference(wanted: object, found: object) -> str:
    """Return the lines in which two results differ; empty if they are equal."""
    texts = [yaml.safe_dump(end, width=200).splitlines() for end in (wanted, found)]
    return "\n".join(
        difflib.unified_diff(
            texts[0], texts[1], fromfile="undisturbed", tofile="killed", lineterm="", n=2
        )
    )
