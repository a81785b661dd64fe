"""Logins at a steady rate: many as token reviews, some as people make them, with kubectl."""

from __future__ import annotations

import dataclasses
import http.client
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tenacity
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import servers

# As much as two cores carry beside three control planes.
REVIEWS_A_SECOND = 10
_KUBECTL_SECONDS = 2.0
_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class Login:
    """One login: when it began and ended, through which server, and what went wrong."""

    kind: str
    host: str
    start: float
    end: float
    problem: str


class Load:
    """Logins through every server, for as long as the block runs.

    ``people`` are kubeconfigs, one for each of ``watched``; ``tokens`` of a user whom the
    mapping calls ``username``.
    """

    def __init__(
        self,
        watched: list[servers.Server],
        people: list[Path],
        tokens: Iterator[str],
        username: str,
    ) -> None:
        self._servers, self._people = watched, people
        self._tokens, self._username = tokens, username
        self.watches = {found.host: servers.Watch(found) for found in watched}
        self.logins: list[Login] = []
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._threads = [threading.Thread(target=run) for run in (self._review, self._person)]

    def await_mapping(self) -> None:
        """Wait until every pod knows the user: one whose API server was just restarted hears
        of a new mapping half a minute late.

        Raises:
            tenacity.RetryError: after two minutes, one of them still does not.
        """
        retry = tenacity.Retrying(
            stop=tenacity.stop_after_delay(120),
            wait=tenacity.wait_fixed(1),
            retry=tenacity.retry_if_result(bool),
        )
        retry(self._any_problem)

    def _any_problem(self) -> bool:
        # Which pod answers is chance, so that it takes many questions to have asked each.
        asked = zip(self._servers * 5, self._tokens, strict=False)
        return any(self._reviewed(target, token)() for target, token in asked)

    def __enter__(self) -> Load:
        for watch in self.watches.values():
            watch.start()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown()
        for watch in self.watches.values():
            watch.stop()

    def _review(self) -> None:
        """Start one whenever it is due, whatever became of the one before."""
        due = time.monotonic()
        for target, token in zip(itertools.cycle(self._servers), self._tokens, strict=False):
            if self._over.wait(max(0.0, due - time.monotonic())):
                return
            due += 1 / REVIEWS_A_SECOND
            self._pool.submit(self._take, "review", target.host, self._reviewed(target, token))

    def _reviewed(self, target: servers.Server, token: str) -> Callable[[], str]:
        def reviewed() -> str:
            found = target.review(token)
            return "" if found == self._username else f"reviewed as {found!r}"

        return reviewed

    def _person(self) -> None:
        pairs = itertools.cycle(zip(self._servers, self._people, strict=True))
        for target, person in pairs:
            if self._over.wait(_KUBECTL_SECONDS):
                return
            self._take("kubectl", target.host, _asked(person))

    def _take(self, kind: str, host: str, attempt: Callable[[], str]) -> None:
        start = time.monotonic()
        try:
            problem = attempt()
        except (OSError, ValueError, http.client.HTTPException) as error:
            problem = f"{type(error).__name__}: {error}"
        self.logins.append(Login(kind, host, start, time.monotonic(), problem))


def _asked(person: Path) -> Callable[[], str]:
    def asked() -> str:
        done = Cluster(person, person).whoami("knobby")
        return done.stderr if done.returncode else ""

    return asked
