"""Log in at a steady rate: mostly by token reviews, sometimes by kubectl, as people do."""

from __future__ import annotations

import dataclasses
import functools
import http.client
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import servers

# Two cores carry no more than this beside three control planes.
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

    ``people`` are kubeconfigs, one for each of ``watched``. ``tokens`` belong to a user whose
    mapping says ``username``. ``reviews`` is how many token reviews begin each second.
    """

    def __init__(
        self,
        watched: list[servers.Server],
        people: list[Path],
        tokens: Iterator[str],
        username: str,
        reviews: float = REVIEWS_A_SECOND,
    ) -> None:
        self._reviews = reviews
        self._servers, self._people = watched, people
        self._tokens, self._username = tokens, username
        self.watches = {found.host: servers.Watch(found) for found in watched}
        self.logins: list[Login] = []
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._threads = [
            threading.Thread(target=run) for run in (self._review_tokens, self._use_kubectl)
        ]

    def wait_for_mapping(self) -> None:
        """Wait until every pod knows the user's mapping.

        A pod learns of a new mapping up to two minutes late if its API server was just restarted.
        """
        eventually(self._is_known, "the mapping known to every pod", seconds=180, interval=1)

    def _is_known(self) -> bool:
        # Each review reaches a pod at random, so it takes many reviews to ask every pod.
        asked = zip(self._servers * 5, self._tokens, strict=False)
        return not any(self._review(target, token) for target, token in asked)

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

    def _review_tokens(self) -> None:
        """Start a review whenever one is due, even if the one before has not ended."""
        due = time.monotonic()
        for target, token in zip(itertools.cycle(self._servers), self._tokens, strict=False):
            if self._over.wait(max(0.0, due - time.monotonic())):
                return
            due += 1 / self._reviews
            review = functools.partial(self._review, target, token)
            self._pool.submit(self._log_in, "review", target.host, review)

    def _review(self, target: servers.Server, token: str) -> str:
        found = target.review(token)
        return "" if found == self._username else f"reviewed as {found!r}"

    def _use_kubectl(self) -> None:
        pairs = itertools.cycle(zip(self._servers, self._people, strict=True))
        for target, person in pairs:
            if self._over.wait(_KUBECTL_SECONDS):
                return
            self._log_in("kubectl", target.host, functools.partial(_whoami, person))

    def _log_in(self, kind: str, host: str, attempt: Callable[[], str]) -> None:
        start = time.monotonic()
        try:
            problem = attempt()
        except (OSError, ValueError, http.client.HTTPException) as error:
            problem = f"{type(error).__name__}: {error}"
        self.logins.append(Login(kind, host, start, time.monotonic(), problem))


def _whoami(person: Path) -> str:
    done = Cluster(person, person).whoami("knobby")
    return done.stderr if done.returncode else ""
