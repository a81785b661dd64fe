# SPDX-License-Identifier: Apache-2.0

"""Who was let in, by the authenticator's log, and on which day each last was. Pure.

A log may be lost before it is read: with its pod, or because strangers fill it. The record names
the days of which it does not have all, and what is unknown does not count as unused.

Kubernetes remembers a login for a while and asks again after that, so not each is in the log.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import times
from access import arn as arns
from access import login_lines
from access.mapping import IdentityMapping
from text import fingerprint, word

# How many principals a record has: twice as many as the mappings that the charm is made for.
MOST = 20_000
# How many sessions an explanation shows.
_SHOWN = 10
_SINCE, _UNTIL, _GAPS, _PODS = "since", "until", "gaps", "pods"
_ONE_DAY = timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Login:
    """Logins of one session that were let in."""

    last: datetime  # When the newest of them was.
    count: int  # How often the authenticator let it in.
    arn: str  # The principal's canonical ARN.
    username: str  # Whom Kubernetes took the person for.
    access_key_id: str  # The access key; or empty.
    session: str  # The session of a role; or empty.


def parse(lines: Iterable[str], begin: datetime, end: datetime) -> list[Login]:
    """Return the logins between ``begin`` and ``end`` in ``lines`` of the authenticator's log, the
    newest first. The lines of one pod follow each other in their order.
    """
    found: dict[tuple[str, str, str, str], Login] = {}
    for line, answer in login_lines.decisions(lines, begin, end):
        if line.msg != login_lines.GRANTED or not arns.canonical_or_empty(line.arn):
            continue
        key = (
            line.arn,
            line.username,
            answer.access_key_id if answer else "",
            answer.session_name if answer else "",
        )
        former = found.get(key)
        last = max(former.last, line.time) if former else line.time
        found[key] = Login(last, former.count + 1 if former else 1, *key)
    return sorted(found.values(), key=lambda login: login.last, reverse=True)


@dataclasses.dataclass(frozen=True)
class Record:
    """On which day each principal was last let in."""

    since: date | None = None  # The day in which the record begins; None if it has not begun.
    # When the logs were read on the last day that they were read; None without any. It is the
    # first time that day: a look that finds nothing new is no reason to write.
    until: datetime | None = None
    gaps: frozenset[date] = frozenset()  # The days of which the logs were not complete.
    pods: frozenset[str] = frozenset()  # The pods whose logs were read last, by their names.
    # The last day of each principal, by the digest of its canonical ARN.
    days: Mapping[str, date] = dataclasses.field(default_factory=dict[str, date])

    def last(self, mapping: IdentityMapping) -> date | None:
        """Return the last day of the principal of ``mapping``; None if unknown."""
        return self.days.get(_digest(mapping.principal))

    def begin(self, days: int) -> date | None:
        """Return the first of the last ``days`` that are recorded as a whole; None if fewer are.

        The day in which the record begins, the one of the last look, and those with a gap are not.
        """
        if not (self.since and self.until):
            return None
        day = self.until.date()
        while days:
            day -= _ONE_DAY
            if day <= self.since:
                return None
            days -= day not in self.gaps
        return day

    def gaps_since(self, day: date | None) -> str:
        """Return that logs of days since ``day`` were not complete; empty if all were."""
        found = sorted(gap for gap in self.gaps if not day or gap >= day)
        if not found:
            return ""
        if len(found) == 1:
            return f"; the pods' log of {found[0]} is incomplete"
        return f"; the pods' logs of {len(found)} days are incomplete, the last {found[-1]}"


NO_RECORD = Record()


def _digest(canonical: str) -> str:
    # 64 bits: nobody finds a principal that counts as another's login.
    return fingerprint(canonical)[:16]


def updated(record: Record, found: Iterable[Login]) -> Record:
    """Return ``record`` with the logins ``found`` too, within its bounds."""
    days = dict(record.days)
    for login in found:
        digest = _digest(login.arn.lower())
        days[digest] = max(login.last.date(), days.get(digest, login.last.date()))
    newest = sorted(days.items(), key=lambda item: (item[1], item[0]), reverse=True)
    return dataclasses.replace(record, days=dict(newest[:MOST]))


def extended(
    record: Record, pods: Iterable[str], needed: datetime, begin: datetime, end: datetime
) -> Record:
    """Return ``record`` after a look at the logs of ``pods`` until ``end``, which are complete
    since ``begin``. It needed them since ``needed``."""
    here, until = frozenset(pods), record.until
    if not until or until.date() != end.date():
        until = end.replace(microsecond=0)
    if not record.since:
        return dataclasses.replace(record, since=begin.date(), until=until, pods=here)
    if record.pods - here:
        # A pod that has gone took its log along.
        begin = end
    missing = (begin.date() - needed.date()).days + 1 if begin > needed else 0
    gaps = {needed.date() + number * _ONE_DAY for number in range(missing)}
    return dataclasses.replace(record, until=until, gaps=record.gaps | gaps, pods=here)


def dump(record: Record) -> dict[str, str]:
    """Return ``record`` as the data of a ConfigMap: the digests of each day."""
    by_day: dict[str, list[str]] = {}
    for digest, day in sorted(record.days.items()):
        by_day.setdefault(day.isoformat(), []).append(digest)
    data = {day: " ".join(digests) for day, digests in sorted(by_day.items())}
    if record.since:
        data[_SINCE] = record.since.isoformat()
    if record.until:
        data[_UNTIL] = times.shown(record.until)
    if record.gaps:
        data[_GAPS] = " ".join(day.isoformat() for day in sorted(record.gaps))
    if record.pods:
        data[_PODS] = " ".join(sorted(record.pods))
    return data


def load(data: Mapping[str, str]) -> Record:
    """Return the record that `dump` wrote; whatever else is in ``data`` is left out."""
    days: dict[str, date] = {}
    for text, digests in data.items():
        for day in _days(text):
            days.update(dict.fromkeys(digests.split(), day))
    since, gaps = _days(data.get(_SINCE, "")), _days(data.get(_GAPS, ""))
    until = None
    with contextlib.suppress(ValueError):
        until = times.parse(data.get(_UNTIL, ""))
    pods = frozenset(data.get(_PODS, "").split())
    return Record(next(iter(since), None), until, frozenset(gaps), pods, days)


def _days(text: str) -> list[date]:
    found = list[date]()
    for each in text.split():
        with contextlib.suppress(ValueError):
            found.append(date.fromisoformat(each))
    return found


def is_unused(mapping: IdentityMapping, record: Record, since: date) -> bool:
    """Return whether ``mapping`` was there before ``since``, and the record has no login by it
    since then. Of a mapping that was just made, that is unknown."""
    last = record.last(mapping)
    is_older = "" < mapping.created[:10] < since.isoformat()
    return is_older and (last is None or last < since)


def explained(
    found: Sequence[Login],
    canonical: str,
    record: Record,
    begin: datetime,
    missing: Iterable[str],
) -> list[str]:
    """Return the last logins of the principal ``canonical``, a line each.

    ``found`` are those that the log has since ``begin``, and ``missing`` says what it lacks.
    """
    own = [login for login in found if login.arn.lower() == canonical]
    lines = [_explained(login) for login in own[:_SHOWN]]
    if len(own) > _SHOWN:
        lines.append(f"{len(own) - _SHOWN} more sessions were let in since {times.shown(begin)}")
    if lines:
        return lines
    day = record.days.get(_digest(canonical))
    if day:
        return [f"last let in on {day}{record.gaps_since(day)}", *missing]
    since = f" since {record.since}" if record.since else ""
    return [f"no login is known{since}{record.gaps_since(None)}", *missing]


def _explained(login: Login) -> str:
    who = [f"as {word(login.username)}"]
    who += [f"session {login.session}"] if login.session else []
    who += [f"access key {login.access_key_id}"] if login.access_key_id else []
    often = "" if login.count == 1 else f", {login.count} times"
    return f"let in at {times.shown(login.last)} {', '.join(who)}{often}"
