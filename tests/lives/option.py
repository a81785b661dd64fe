"""What the operator declares: rows, the formats in which they are written, and what they mean."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from access.mapping import name_for

ACCOUNT = "arn:aws:iam::111122223333"
PEOPLE = ("alice", "bob")
Role = tuple[str, str, str]


def arn(who: str) -> str:
    return f"{ACCOUNT}:role/{who.capitalize()}"


def principal(who: str) -> str:
    return arn(who).lower()


def own_group(name: str) -> str:
    return f"aws-iam:{name}"


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the option.

    Attributes:
        who: The person whose role it names.
        role: A ClusterRole for it; empty for none.
        namespace: Where that role counts; empty for the whole cluster.
        seconds: When its access ends, from the time of the declaration on; 0 for never.
        typo: What is wrong with it: its ``arn`` or its ``groups``; or empty.
    """

    who: str
    group: str = ""
    role: str = ""
    namespace: str = ""
    seconds: int = 0
    typo: str = ""

    def said(self) -> dict[str, Any]:
        """What is said of it, without what is not."""
        return {key: value for key, value in vars(self).items() if value}

    @property
    def name(self) -> str:
        """The name of its mapping."""
        return name_for(principal(self.who), self.who)


@dataclasses.dataclass(frozen=True)
class Option:
    """The option as it was set. ``now`` is when."""

    rows: tuple[Row, ...] = ()
    form: str = "list"
    now: float = 0.0

    @classmethod
    def of(cls, rows: Iterable[Row], form: str, now: float) -> Option:
        """The option with these rows."""
        return cls(tuple(rows), form, now)

    def text(self, shown: Any) -> str:
        """The option's text; ``shown`` writes a time."""
        if self.form == "unreadable":
            return "["
        if not self.rows:
            return ""
        made = [self._made(row, shown) for row in self.rows]
        if self.form == "aws-auth":
            return json.dumps({"mapRoles": made})
        if self.form == "eks":
            return json.dumps({"accessConfig": {"accessEntries": made[:1]}, "mapRoles": made[1:]})
        return json.dumps(made)

    def _made(self, row: Row, shown: Any) -> dict[str, Any]:
        is_entry = self.form == "eks" and row is self.rows[0]
        words = {"list": ("arn", "username", "groups"), "aws-auth": _ROW, "eks": _ROW}[self.form]
        arn_, user, groups = _ENTRY if is_entry else words
        made: dict[str, Any] = {
            arn_: "nobody" if row.typo == "arn" else arn(row.who),
            user: row.who,
            groups: "system:masters" if row.typo == "groups" else [row.group] if row.group else [],
        }
        if self.form != "list":
            return made
        if row.role:
            spaces = {"namespaces": [row.namespace]} if row.namespace else {}
            made["access"] = [{"role": row.role, **spaces}]
        if row.seconds:
            made["expires"] = shown(self.now + row.seconds)
        return made

    @property
    def has_fault(self) -> bool:
        """Whether it cannot be read, or a row is wrong, or two name one principal, but for an
        access entry beside a row: then nothing of it is applied."""
        rows = self.rows[1:] if self.form == "eks" else self.rows
        people = [row.who for row in rows if row.typo != "arn"]
        wrong = any(row.typo for row in self.rows) or len(people) > len({*people})
        return wrong or self.form == "unreadable"

    @property
    def counts(self) -> dict[str, Row]:
        """The row that counts for each principal, of an option without a fault."""
        if self.has_fault:
            return {}
        found = {principal(row.who): row for row in self.rows}
        if self.form == "eks" and self.rows:
            found[principal(self.rows[0].who)] = self.rows[0]
        return found

    def good(self, now: float) -> dict[str, Row]:
        """The rows that apply at ``now``."""
        return {who: row for who, row in self.counts.items() if self.lasts(row, now)}

    def lasts(self, row: Row, now: float) -> bool:
        return not row.seconds or int(self.now + row.seconds) > now

    def rights(self, row: Row) -> set[Role]:
        """What a row gives to its principal."""
        given = {("Group", row.group, "")} if row.group else set()
        if row.role and self.form == "list":
            given.add(("ClusterRole", row.role, row.namespace))
        return given


_ROW = ("rolearn", "username", "groups")
_ENTRY = ("principalARN", "kubernetesUsername", "kubernetesGroups")
