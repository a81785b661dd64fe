"""A step of the demo, and what several steps expect."""

from __future__ import annotations

from dataclasses import dataclass

NO_PODS = "No resources found"
# The cluster's only API server takes its address out of the Service `kubernetes` when it stops.
# Once it is back, a pod finds it again, and hears of new mappings, within two minutes.
AFTER_A_RESTART = 180.0
UNAUTHORIZED = "You must be logged in to the server"


@dataclass(frozen=True)
class Step:
    """A command line for a shell, and what must come of it.

    ``code`` is the exit code, and ``shows`` is a part of the output. The command is tried again
    for ``retry_seconds``: the API server caches answers, and may be restarting. The environment
    holds the AWS keys of ``user``, with ``secret`` in place of their secret key if one is given.
    """

    title: str
    command: str
    shows: str = ""
    code: int = 0
    retry_seconds: float = 0.0
    user: str = "knobby"
    secret: str | None = None


@dataclass(frozen=True)
class Wait:
    """Wait until every agent is idle and every application active."""

    title: str
