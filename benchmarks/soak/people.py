"""People who log in at a steady rate, and try once more where they are refused."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.integration.helpers.load import servers

# So much later, a person tries again, through another API server.
SECOND_TRY = 1.0
# While half of the logins wait for a lost node, so many are under way.
AT_ONCE = 800


@dataclass(frozen=True)
class Login:
    """When it was due, its seconds, through which server, and what went wrong with each try."""

    due: float
    seconds: float
    host: str
    problem: str
    second: str


class People:
    """Log in at a steady rate, each with a new token over a new connection, as kubectl does."""

    def __init__(self, token: Callable[[], str], username: str, rate: float) -> None:
        self.servers: list[servers.Server] = []
        self.logins: list[Login] = []
        self._token, self._username, self._rate = token, username, rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> People:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.time()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number in itertools.count():
                if self._over.wait(max(0.0, due - time.time())):
                    return
                pool.submit(self._log_in, due, number)
                due += 1 / self._rate

    def _log_in(self, due: float, number: int) -> None:
        host, problem = self._try(number)
        took, second = time.time() - due, ""
        if problem:
            self._over.wait(SECOND_TRY)
            second = self._try(number + 1)[1]
        self.logins.append(Login(due, took, host, problem, second))

    def _try(self, number: int) -> tuple[str, str]:
        """Return the host of the API server that was asked, and what went wrong."""
        found = self.servers
        server = found[number % len(found)]
        try:
            who = server.review(self._token())
        except (OSError, ValueError, http.client.HTTPException) as error:
            return server.host, f"API server: {type(error).__name__}: {error}"
        if who == self._username:
            return server.host, ""
        return server.host, who or "refused"
