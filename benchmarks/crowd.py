"""People who log in all at once, or at a rate, each with a new token; and what became of it."""

from __future__ import annotations

import dataclasses
import http.client
import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.integration.helpers.load.servers import Server

from benchmarks import api

_PATH = "/apis/authentication.k8s.io/v1/tokenreviews"
_REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
# Longer than the API server tries to reach a webhook.
_PATIENCE = 30.0
# At a rate, so many logins are under way at most. The next ones wait, and their waiting counts.
_PENDING = 400


@dataclass(frozen=True)
class Login:
    """When it was due, its seconds from then to the first answer, and what went wrong.

    It is lost if it went wrong again in a second try.
    """

    due: float
    seconds: float
    problem: str
    lost: bool


@dataclass(frozen=True)
class Crowd:
    """The people who log in: at which server, with which new tokens, and under which username."""

    server: Server
    token: Callable[[], str]
    username: str

    def at_once(self, people: int, seconds: float) -> list[Login]:
        """Have so many people log in for some time, each again as soon as there is an answer."""
        end = time.monotonic() + seconds

        def one_after_another(_: int) -> list[Login]:
            log_in, done = self._person(), list[Login]()
            while (now := time.monotonic()) < end:
                done.append(log_in(now))
            return done

        with ThreadPoolExecutor(people) as pool:
            return [login for done in pool.map(one_after_another, range(people)) for login in done]

    def at_rate(self, rate: float, seconds: float) -> list[Login]:
        """Have so many people a second log in for some time, however long the answers take."""
        own = threading.local()

        def log_in(due: float) -> Login:
            if not hasattr(own, "log_in"):
                own.log_in = self._person()
            return own.log_in(due)

        began = time.monotonic()
        with ThreadPoolExecutor(_PENDING) as pool:
            running = []
            for number in range(round(rate * seconds)):
                due = began + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                running.append(pool.submit(log_in, due))
            return [each.result() for each in running]

    def prepared(self, people: int) -> Crowd:
        """Return the crowd with the tokens signed that so many people need for two tries each."""
        tokens = iter([self.token() for _ in range(2 * people)])
        return dataclasses.replace(self, token=lambda: next(tokens))

    def each_once(self, people: int) -> list[Login]:
        """Have so many people log in at the same moment."""
        due = time.monotonic()
        with ThreadPoolExecutor(people) as pool:
            return list(pool.map(lambda _: self._person()(due), range(people)))

    def _person(self) -> Callable[[float], Login]:
        connection = api.connect(self.server, _PATIENCE)

        def log_in(due: float) -> Login:
            problem = self._problem(connection)
            took = time.monotonic() - due
            return Login(due, took, problem, bool(problem) and bool(self._problem(connection)))

        return log_in

    def _problem(self, connection: http.client.HTTPSConnection) -> str:
        """Return what is wrong with a login, nothing where it works."""
        body = {**_REVIEW, "spec": {"token": self.token()}}
        try:
            status = json.loads(api.ask(connection, "POST", _PATH, body))["status"]
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            return f"{type(error).__name__}: {error}"
        if status.get("user", {}).get("username") == self.username:
            return ""
        return str(status.get("error", "")) or "refused"


def taken_from(tokens: Iterator[str]) -> Callable[[], str]:
    """Return what gives several threads one token each, and none twice.

    A user who signs more than 840 in a second signs some of them twice.
    """
    lock, given = threading.Lock(), set[int]()

    def take() -> str:
        with lock:
            while hash(token := next(tokens)) in given:
                time.sleep(0.001)
            given.add(hash(token))
            return token

    return take


def milliseconds(logins: Sequence[Login], percent: int) -> float:
    """Return a percentile of what the logins took that worked, 0 where fewer than two did."""
    took = [login.seconds * 1000 for login in logins if not login.problem]
    return statistics.quantiles(took, n=100)[percent - 1] if len(took) > 1 else 0.0


def rate(logins: Sequence[Login]) -> float:
    """Return how many logins a second worked, from the first one due to the last answer."""
    worked = [login for login in logins if not login.problem]
    if not worked:
        return 0.0
    end = max(login.due + login.seconds for login in worked)
    return len(worked) / (end - min(login.due for login in logins))


def failed(logins: Sequence[Login]) -> int:
    """Return how many logins went wrong at the first try."""
    return sum(bool(login.problem) for login in logins)


def lost(logins: Sequence[Login]) -> int:
    """Return how many logins went wrong at the second try, too."""
    return sum(login.lost for login in logins)


def why(logins: Sequence[Login]) -> str:
    """Return what went wrong most often."""
    found = Counter(login.problem for login in logins if login.problem).most_common(1)
    return found[0][0] if found else ""


def last_failure(logins: Sequence[Login], since: float) -> float:
    """Return how long after a moment the last login was due that went wrong, 0 if none was."""
    return max((login.due - since for login in logins if login.problem), default=0.0)
