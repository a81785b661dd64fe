"""Between a unit and the API server: requests fail, answers are lost, others act, hooks die."""

from __future__ import annotations

import collections
import contextlib
import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx2
from tests.fakes.kubernetes.faults import refused, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.lives import access, promises, story
from tests.lives.access import Object, Objects
from tests.lives.broken import Broken
from tests.lives.steps import ACTED, NOT_COMMITTED, Between, Fault

if TYPE_CHECKING:
    from tests.lives.life import Life

# How long a request takes, a slow one, and a hook tool.
_USUAL, _SLOW, _TOOL = 0.02, 1.5, 0.02


class Killed(BaseException):
    """The process of a hook or an action is killed."""


class Stopped(BaseException):
    """A promise is broken. The charm must not handle that as it handles its own errors."""


@dataclasses.dataclass(frozen=True)
class Effect:
    """What a request of the charm changed: a mapping or a binding, before and after."""

    path: str
    before: Object | None
    after: Object | None
    lost: bool

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_mapping(self) -> bool:
        return self.path.startswith(MAPPINGS)


@dataclasses.dataclass
class Run:
    """A hook or an action that runs, and what is to happen meanwhile.

    Attributes:
        said_from: How much had been said before.
        who: Whose access the action is about.
        counts: How many requests of each kind it has made.
        others: Whether others acted meanwhile.
        acted_at: How many effects it had when they did so last.
        people: Whether people did so in the cluster.
        deleted: Whose mappings they deleted meanwhile.
        met: The faults that it met.
        failed: The requests that met them.
    """

    unit: int
    what: str
    before: Objects
    meanwhile: tuple[Fault | Between, ...]
    said_from: int
    who: str = ""
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    effects: list[Effect] = dataclasses.field(default_factory=list)
    writes: list[str] = dataclasses.field(default_factory=list)
    met: list[Fault] = dataclasses.field(default_factory=list)
    failed: list[str] = dataclasses.field(default_factory=list)
    others: bool = False
    acted_at: int = 0
    people: bool = False
    deleted: set[str] = dataclasses.field(default_factory=set[str])
    dead: bool = False
    slow: bool = False
    results: dict[str, Any] | None = None
    failure: str = ""
    raised: Exception | None = None

    @property
    def is_action(self) -> bool:
        return self.what.endswith("-access") or self.what in ("plan-mappings", "list-mappings")

    @property
    def undisturbed(self) -> bool:
        return not (self.met or self.others or self.dead)


class Transport:
    """Takes the requests of the charm to the server, in the place of httpx2's."""

    def __init__(self, life: Life) -> None:
        self._life, self._api = life, life.api
        self.runs: list[Run] = []
        # What fails for ever: the kind of fault by the request.
        self.lasting: dict[str, str] = {}
        self.met: collections.Counter[str] = collections.Counter()
        self.requests = 0
        self.broken: Broken | None = None
        # A mistake in what asks whether promises hold.
        self.error: Exception | None = None

    def send(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request of the unit that runs."""
        if not self.runs:
            return self._api.handle_request(request)
        try:
            return self._send(request, self.runs[-1])
        except Broken as broken:
            self.broken = broken
            raise Stopped from broken

    def _send(self, request: httpx2.Request, run: Run) -> httpx2.Response:
        if self.broken or self.error:
            raise Stopped
        if run.dead:
            raise Killed
        self.requests += 1
        is_write = request.method != "GET" and not request.url.path.endswith("reviews")
        run.counts["any"] += 1
        run.counts["write"] += is_write
        due = [each for each in run.meanwhile if _is_due(each, run, request, is_write=is_write)]
        for each in due:
            if isinstance(each, Between):
                self.met["between"] += 1
                run.others = True
                before = f"  unit {run.unit}: {run.what}: before {story.short(_key(request))}:"
                self._life.notes.append(before)
                self._life.take(each.act)
                run.acted_at = len(run.effects)
        fault, key = next((each for each in due if isinstance(each, Fault)), None), _key(request)
        self._api.clock.now += _SLOW if run.slow else _USUAL
        if fault and fault.kind == "slow":
            run.slow = True
            self._meet(run, fault, key)
            fault = None
        if fault and fault.lasts:
            self.lasting[key] = fault.kind
        kind = self.lasting.get(key) or (fault.kind if fault else "")
        if not kind:
            return self._act(run, request, is_write=is_write)
        self._meet(run, fault or Fault(kind, lasts=True), key)
        return self._disturbed(run, request, kind, is_write=is_write)

    def _meet(self, run: Run, fault: Fault, what: str) -> None:
        run.met.append(fault)
        run.failed.append(what)
        ever = ", for ever" if fault.lasts else ""
        note = f"  unit {run.unit}: {run.what}: {story.short(what)} {fault.kind}{ever}"
        if self._life.notes[-1] != note:
            self._life.notes.append(note)
        self.met[f"{fault.kind} for ever" if fault.lasts else fault.kind] += 1

    def _disturbed(
        self, run: Run, request: httpx2.Request, kind: str, *, is_write: bool
    ) -> httpx2.Response:
        if kind == "killed before":
            self._kill(run)
        if kind in (*ACTED, "killed after"):
            self._act(run, request, is_write=is_write, lost=True)
        if kind == "killed after":
            self._kill(run)
        if kind.endswith("late"):
            self._api.clock.now += request.extensions["timeout"]["read"]
        return _ANSWERS[kind.rpartition(", ")[2]](request)

    def _kill(self, run: Run) -> None:
        run.dead = True
        raise Killed

    def _act(
        self, run: Run, request: httpx2.Request, *, is_write: bool, lost: bool = False
    ) -> httpx2.Response:
        """Let the server do what is asked, and check what must hold after it."""
        if not is_write:
            return self._api.handle_request(request)
        objects = self._api.objects
        path = request.url.path.removesuffix("/status")
        before, old, rights = {**objects}, copy.deepcopy(objects.get(path)), self._life.rights
        seen = len(self._api.seen)
        response = self._api.handle_request(request)
        if not self._api.seen[seen].changed:
            return response
        run.writes.append(_key(request))
        changed = [each for each in objects if each not in before]
        changed += [each for each in before if each not in objects and each != path]
        if path in before:
            changed.append(path)
        found = [
            Effect(each, old if each == path else before.get(each), objects.get(each), lost)
            for each in changed
        ]
        for effect in found:
            if access.is_access(effect.path):
                run.effects.append(dataclasses.replace(effect, after=copy.deepcopy(effect.after)))
        try:
            promises.after_write(self._life, run, found, rights)
        except Broken:
            raise
        except Exception as error:
            self.error = error
            raise Stopped from error
        return response

    def before_commit(self) -> None:
        """Juju is about to keep what the unit that runs has written."""
        run = self.runs[-1] if self.runs else None
        faults = [each for each in run.meanwhile if isinstance(each, Fault)] if run else []
        if run and (fault := next((e for e in faults if e.kind == NOT_COMMITTED), None)):
            self._meet(run, fault, "commit")
            self._kill(run)

    @contextlib.contextmanager
    def around(self, tool: str) -> Iterator[None]:
        """Before and after a hook tool of the unit that runs."""
        if not self.runs:
            yield
            return
        run = self.runs[-1]
        if run.dead:
            raise Killed
        run.counts["tool"] += 1
        self._api.clock.now += _TOOL
        kinds = {
            each.kind: each
            for each in run.meanwhile
            if isinstance(each, Fault) and each.of == "tool" and each.at == run.counts["tool"]
        }
        if fault := kinds.get("killed before"):
            self._meet(run, fault, tool)
            self._kill(run)
        yield
        if fault := kinds.get("killed after"):
            self._meet(run, fault, tool)
            self._kill(run)


def _is_due(each: Fault | Between, run: Run, request: httpx2.Request, *, is_write: bool) -> bool:
    if isinstance(each, Fault) and (each.of in ("tool", "commit") or each in run.met):
        return False
    if isinstance(each, Fault) and each.kind == "conflict" and request.method == "POST":
        return False
    if each.of == "write" and not is_write:
        return False
    if isinstance(each, Fault) and each.kind == "conflict":
        return run.counts["write"] >= each.at
    return run.counts[each.of] == each.at


def _key(request: httpx2.Request) -> str:
    """The request by its method and its object."""
    path = request.url.path.removesuffix("/status")
    if request.method != "POST":
        return f"{request.method} {path}"
    name = json.loads(request.content).get("metadata", {}).get("name", "")
    return f"POST {path}/{name}"


_ANSWERS: dict[str, Callable[[httpx2.Request], Any]] = {
    "denied": lambda _: refused(403, 'admission webhook "x" denied the request: no'),
    "conflict": lambda _: refused(409, "the object has been modified"),
    "throttled": lambda _: refused(429, "too many requests"),
    "failed": lambda _: refused(500, 'Internal error occurred: failed calling webhook "x"'),
    "unavailable": lambda _: httpx2.Response(503, text="apiserver not ready"),
    "late": unreachable(httpx2.ReadTimeout),
    "reset": unreachable(httpx2.ReadError),
}
