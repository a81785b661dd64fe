"""Logins, lost logs and looks in any order: no login of a whole day is missing from the record,
and after a look that nothing disturbs it has all that the logs show."""

from __future__ import annotations

import datetime
import hashlib
import json
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.fakes import at_rest, login_lines
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import HOOK_TOOLS, QUICK, Easyrsa, Model
from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import LOGINS, MAPPINGS, PODS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

ROLE = "arn:aws:iam::111122223333:role/dev"
PRINCIPALS, HOUR = 4, 3600.0
# The unit looks again after this time.
LOOK = 1.01 * HOUR
NUMBERS = st.integers(0, 99)
# A pod's log: for each line when it was, and who logged in, if somebody did.
Log = list[tuple[float, int | None]]


class Logins(RuleBasedStateMachine):
    """A unit, its pods, and every login that there was."""

    def __init__(self) -> None:
        super().__init__()
        self._patch, self._folder = pytest.MonkeyPatch(), tempfile.TemporaryDirectory()
        self._api = FakeCluster(Clock())
        self._api.install(self._patch)
        HOOK_TOOLS.install(self._patch)
        self._model = Model(
            Easyrsa(root()), [Files(Path(self._folder.name))], endpoints=("aws-iam",)
        )
        at_rest.settle(self._model, self._api)
        self._pods: dict[str, Log] = {}
        self._logins: list[tuple[float, int]] = []
        self._number, self._since = 0, ""
        for number in range(PRINCIPALS):
            self._api.add_mapping(f"m{number}", arn(number), arn(number))
            metadata = self._api.objects[f"{MAPPINGS}/m{number}"]["metadata"]
            metadata["creationTimestamp"] = shown(self._api.clock.now)
        self.add()
        self.add()

    def teardown(self) -> None:
        try:
            self.time(LOOK)
            self.hook("", 1)
            self.list_unused(1)
            self.record_is_whole()
        finally:
            self._patch.undo()
            self._folder.cleanup()

    # The pods.

    @rule()
    def add(self) -> None:
        self._number += 1
        self._pods[f"p{self._number}"] = [(self._api.clock.now, None)]
        self._api.add_pod(f"p{self._number}")
        self._write_logs()

    @rule(number=NUMBERS)
    def log_in(self, number: int) -> None:
        self._api.clock.now += 1
        login = (self._api.clock.now, number % PRINCIPALS)
        self._pods[self._chosen(number)].append(login)
        self._logins.append(login)
        self._write_logs()

    @rule(seconds=st.sampled_from([HOUR * hours for hours in (0.4, 1.1, 5, 23, 24, 60)]))
    def time(self, seconds: float) -> None:
        self._api.clock.now += seconds

    @rule(number=NUMBERS, hours=st.sampled_from([0.0, 0.5, 9.0]))
    def rotate(self, number: int, hours: float) -> None:
        """Lose the older lines of a log: there is always a newest one."""
        begin, name = self._api.clock.now - hours * HOUR, self._chosen(number)
        left = [line for line in self._pods[name] if line[0] >= begin]
        self._pods[name] = [*left, (self._api.clock.now, None)]
        self._write_logs()

    @rule(number=NUMBERS)
    def replace(self, number: int) -> None:
        self._drop(self._chosen(number))
        self.add()

    @rule(number=NUMBERS)
    def remove(self, number: int) -> None:
        """Have a pod less. One that came since the last look would leave no trace."""
        name = self._chosen(number)
        if len(self._pods) > 1 and name in self._recorded_pods:
            self._drop(name)

    @rule()
    def delete(self) -> None:
        """Delete the record, unless it alone knows of a pod that has gone."""
        if LOGINS in self._api.objects and self._recorded_pods <= {*self._pods}:
            self._api.delete(LOGINS)
            self._since = ""

    def _drop(self, name: str) -> None:
        del self._pods[name]
        self._api.delete(f"{PODS}/{name}")

    def _chosen(self, number: int) -> str:
        return sorted(self._pods)[number % len(self._pods)]

    def _write_logs(self) -> None:
        now, self._api._logs = self._api.clock.now, {}
        for name, log in self._pods.items():
            self._api.add_lines(name, *((now - at, line(at, who)) for at, who in log))

    # The unit.

    @rule()
    def change_leader(self) -> None:
        """Let another unit lead, which remembers nothing."""
        self._model.units[0].stored = frozenset()

    @rule(
        fault=st.sampled_from(["", "", "not found", "fails", "not written", "a log"]),
        nth=st.integers(1, 2),
    )
    def hook(self, fault: str, nth: int) -> None:
        faults = {
            "not found": (404, f"GET {LOGINS}", nth),
            "fails": (500, f"GET {LOGINS}", nth),
            "not written": (500, f"PATCH {LOGINS}", nth),
            "a log": (500, f"GET {PODS}/{self._chosen(nth)}/log", 1),
        }
        if fault:
            code, request, at = faults[fault]
            self._api.fail(refusal(code, "no"), request=request, nth=at)
        self._api.forget()
        self._model.hook()
        self._api._faults.clear()
        if fault or f"GET {LOGINS}" not in self._api.requests:
            return
        for log in self._pods.values():
            for at, who in log:
                assert who is None or self._last(who) >= day(at), "the record lacks a login"

    @rule(days=st.integers(1, 3))
    def list_unused(self, days: int) -> None:
        """Nobody is listed as unused who was there."""
        results = self._model.action("list-mappings", format="json", unused=f"{days}d")
        whole = sorted(self._whole())[-days:]
        for each in json.loads(results["mappings"]):
            assert len(whole) == days
            who = int(each["name"].removeprefix("m"))
            assert not {day(at) for at, name in self._logins if name == who} & {*whole}

    @invariant()
    def record_is_whole(self) -> None:
        """The record begins when it began, and lacks no login of its whole days."""
        since = self._record.get("since", "")
        assert self._since in ("", since)
        self._since, whole = since, self._whole()
        for at, who in self._logins:
            assert day(at) not in whole or self._last(who) >= day(at)

    @property
    def _record(self) -> dict[str, str]:
        return self._api.objects.get(LOGINS, {}).get("data") or {}

    @property
    def _recorded_pods(self) -> set[str]:
        return {*self._record.get("pods", "").split()}

    def _whole(self) -> set[str]:
        """The days that the record has as a whole."""
        record = self._record
        if "since" not in record:
            return set()
        first, end = (datetime.date.fromisoformat(record[key][:10]) for key in ("since", "until"))
        days = (first + datetime.timedelta(days=n) for n in range(1, (end - first).days))
        return {each.isoformat() for each in days} - {*record.get("gaps", "").split()}

    def _last(self, who: int) -> str:
        """The last day that the record has of a principal; empty if it has none."""
        digest = hashlib.sha256(arn(who).encode()).hexdigest()[:16]
        return max((key for key, each in self._record.items() if digest in each), default="")


def arn(number: int) -> str:
    return f"{ROLE}{number}"


def shown(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()


def day(at: float) -> str:
    return shown(at)[:10]


def line(at: float, who: int | None) -> bytes:
    """A line of the authenticator's log."""
    if who is None:
        return b'{"msg": "hello"}\n'
    granted = login_lines.line("access granted", arn(who), time=shown(at), username="dev")
    return granted.encode() + b"\n"


if not QUICK:
    TestLogins = Logins.TestCase
    TestLogins.settings = settings(
        max_examples=max(settings().max_examples // 6, 5), stateful_step_count=30, deadline=None
    )
