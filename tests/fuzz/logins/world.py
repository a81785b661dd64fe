"""A unit whose pods let people in and lose their logs. What must hold is checked at each step.

No login of a day that the record has as a whole one may be missing from it, and after a look that
nothing disturbs it has all that the logs show.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable

from tests.fakes import login_lines
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import LOGINS, MAPPINGS, PODS
from tests.fuzz import hooks
from tests.fuzz.damaged_unit import DamagedUnit
from tests.fuzz.logins.steps import PRINCIPALS, Step
from tests.fuzz.runner import Violation

_HOUR = 3600.0
_ROLE = "arn:aws:iam::111122223333:role/dev"
# In hours: the unit looks again after this time.
_LOOK = 1.01


# A pod's log: for each line when it was, and who logged in, if somebody did.
Log = list[tuple[float, int | None]]


def check(steps: list[Step]) -> None:
    """Take the steps, and look once more. What must hold is checked all along."""
    unit = hooks.legacy()
    with unit.borrowed():
        world = World(unit)
        for step in (*steps, Step("time", hours=_LOOK), Step("hook"), Step("list", 1)):
            world.take(step)


class World:
    """The unit, its pods, and every login that there was."""

    def __init__(self, unit: DamagedUnit) -> None:
        self._unit, self._api = unit, unit.api
        self._pods: dict[str, Log] = {}
        self._logins: list[tuple[float, int]] = []
        self._number = 0
        self._since = ""
        for number in range(PRINCIPALS):
            self._api.add_mapping(f"m{number}", _arn(number), _arn(number))
            metadata = self._api.objects[f"{MAPPINGS}/m{number}"]["metadata"]
            metadata["creationTimestamp"] = _shown(self._api.clock.now)
        for _ in range(2):
            self._add()

    def take(self, step: Step) -> None:
        """Take one step."""
        take: dict[str, Callable[[Step], None]] = {
            "hook": self._hook,
            "log in": self._log_in,
            "time": self._let_pass,
            "rotate": self._rotate,
            "replace": self._replace,
            "add": lambda _: self._add(),
            "remove": self._remove,
            "delete": lambda _: self._delete(),
            "leader": lambda _: self._change_leader(),
            "list": self._list,
        }
        take[step.do](step)
        self._check_record()

    # The pods.

    def _add(self) -> None:
        self._number += 1
        self._pods[f"p{self._number}"] = [(self._api.clock.now, None)]
        self._api.add_pod(f"p{self._number}")
        self._write_logs()

    def _log_in(self, step: Step) -> None:
        self._api.clock.now += 1
        login = (self._api.clock.now, step.number % PRINCIPALS)
        self._pods[self._chosen(step.number)].append(login)
        self._logins.append(login)
        self._write_logs()

    def _let_pass(self, step: Step) -> None:
        self._api.clock.now += step.hours * _HOUR

    def _rotate(self, step: Step) -> None:
        """Lose the older lines of a log: there is always a newest one."""
        begin = self._api.clock.now - step.hours * _HOUR
        name = self._chosen(step.number)
        left = [line for line in self._pods[name] if line[0] >= begin]
        self._pods[name] = [*left, (self._api.clock.now, None)]
        self._write_logs()

    def _replace(self, step: Step) -> None:
        self._drop(self._chosen(step.number))
        self._add()

    def _remove(self, step: Step) -> None:
        """Have a pod less. One that came since the last look would leave no trace."""
        name = self._chosen(step.number)
        if len(self._pods) > 1 and name in self._recorded_pods:
            self._drop(name)

    def _drop(self, name: str) -> None:
        del self._pods[name]
        self._api.delete(f"{PODS}/{name}")

    def _delete(self) -> None:
        """Delete the record, unless it alone knows of a pod that has gone."""
        if LOGINS in self._api.objects and self._recorded_pods <= {*self._pods}:
            self._api.delete(LOGINS)
            self._since = ""

    def _chosen(self, number: int) -> str:
        names = sorted(self._pods)
        return names[number % len(names)]

    def _write_logs(self) -> None:
        now = self._api.clock.now
        self._api._logs = {}
        for name, log in self._pods.items():
            self._api.add_lines(name, *((now - at, _line(at, who)) for at, who in log))

    # The unit.

    def _change_leader(self) -> None:
        """Let another unit lead, which remembers nothing."""
        self._unit.model.units[0].stored = frozenset()

    def _hook(self, step: Step) -> None:
        faults = {
            "the record is not found": (404, f"GET {LOGINS}", step.nth),
            "the record fails": (500, f"GET {LOGINS}", step.nth),
            "the record is not written": (500, f"PATCH {LOGINS}", step.nth),
            "a log fails": (500, f"GET {PODS}/{self._chosen(step.nth)}/log", 1),
        }
        if step.fault:
            code, request, nth = faults[step.fault]
            self._api.fail(refusal(code, "no"), request=request, nth=nth)
        self._unit.hook()
        self._api._faults.clear()
        if not step.fault and f"GET {LOGINS}" in self._api.requests:
            self._check_all()

    def _list(self, step: Step) -> None:
        """List who is unused, and check that nobody is who was there."""
        results = self._unit.action("list-mappings", format="json", unused=f"{step.number}d")
        whole = sorted(self._whole())[-step.number :]
        for each in json.loads(results["mappings"]):
            if len(whole) < step.number:
                raise Violation("unused, and too few days are known", whole)
            who = int(each["name"].removeprefix("m"))
            used = {_day(at) for at, name in self._logins if name == who}
            if later := used & {*whole}:
                raise Violation("unused, and was there", f"{who}: {later}")

    # What must hold.

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
        return {day.isoformat() for day in days} - {*record.get("gaps", "").split()}

    def _last(self, who: int) -> str:
        """The last day that the record has of a principal; empty if it has none."""
        digest = hashlib.sha256(_arn(who).encode()).hexdigest()[:16]
        return max((day for day, each in self._record.items() if digest in each), default="")

    def _check_record(self) -> None:
        """Check that the record begins when it began, and lacks no login of its whole days."""
        since = self._record.get("since", "")
        if self._since not in ("", since):
            raise Violation("a record that begins later", f"{self._since} {since}")
        self._since = since
        whole = self._whole()
        for at, who in self._logins:
            if _day(at) in whole and self._last(who) < _day(at):
                raise Violation(
                    "a login that the record lacks", f"{who} {_day(at)} {self._record}"
                )

    def _check_all(self) -> None:
        """Check that the record has all logins that the logs show."""
        for log in self._pods.values():
            for at, who in log:
                if who is not None and self._last(who) < _day(at):
                    raise Violation(
                        "a login in the log that the record lacks", f"{who} {_day(at)}"
                    )


def _arn(number: int) -> str:
    return f"{_ROLE}{number}"


def _shown(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()


def _day(at: float) -> str:
    return _shown(at)[:10]


def _line(at: float, who: int | None) -> bytes:
    """A line of the authenticator's log."""
    if who is None:
        return b'{"msg": "hello"}\n'
    granted = login_lines.line("access granted", _arn(who), time=_shown(at), username="dev")
    return granted.encode() + b"\n"
