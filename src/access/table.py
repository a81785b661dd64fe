# SPDX-License-Identifier: Apache-2.0

"""All mappings as a table for people, or as JSON, of bounded size. Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from access import arn, rbac
from access.mapping import Identity, IdentityMapping, identity
from access.permission_sets import of_role
from text import cut, first, one_line, word

_EVERYTHING = "everything"
# A wider cell makes only its own row longer.
_WIDTH = 70
# No cell takes the place of those behind it, and no row that of others: a mapping may have any
# number of groups, and the editor of a namespace may bind any number of roles.
_MOST_OF_CELL = 2_000
_LISTED, _MOST_OF_LISTED = 20, 300


@dataclasses.dataclass(frozen=True)
class Row:
    """A mapping as the list shows it."""

    name: str
    arn: str
    username: str
    groups: tuple[str, ...]
    source: str  # What made it: `option`, `grant` or `kubectl`.
    permission_set: str  # The permission set whose role it maps, as `<set>@<account>`; or empty.
    expires: str  # When the charm deletes it, unchecked; or empty.
    roles: tuple[str, ...]  # What RBAC gives to it beyond what it gives to everybody.
    problem: str  # What is wrong with it, and the remedy; or empty.

    @property
    def is_administrator(self) -> bool:
        """Return whether it may do everything in the cluster."""
        return any(role.startswith(_EVERYTHING) for role in self.roles)


def rows(
    mappings: Iterable[IdentityMapping],
    problems: Mapping[str, str],
    bindings: rbac.Bindings,
) -> list[Row]:
    """Return a row for each mapping, sorted by name, administrators first: a list may be cut."""
    found = [_row(mapping, problems.get(mapping.name, ""), bindings) for mapping in mappings]
    return sorted(found, key=lambda row: (not row.is_administrator, row.name))


def _row(mapping: IdentityMapping, problem: str, bindings: rbac.Bindings) -> Row:
    try:
        who = identity(mapping, arn.parse(mapping.principal))
    except ValueError:
        who = Identity(mapping.username, mapping.groups)
    grants = bindings.of(who.username, who.groups)
    masters = [f"{_EVERYTHING} ({rbac.MASTERS})"] if rbac.MASTERS in mapping.groups else []
    roles = (_role(each, {who.username, *who.groups}) for each in grants)
    return Row(
        name=mapping.name,
        arn=cut(mapping.arn, _MOST_OF_CELL),
        username=cut(mapping.username, _MOST_OF_CELL),
        groups=_first(mapping.groups),
        source=mapping.source or "kubectl",
        permission_set=f"{of_role(mapping.arn) or ''}",
        expires=cut(mapping.expires, _MOST_OF_CELL),
        roles=_first([*masters, *dict.fromkeys(roles)]),
        problem=problem,
    )


def given(mapping: IdentityMapping, bindings: rbac.Bindings) -> list[str]:
    """Return what RBAC gives to ``mapping`` beyond what it gives to everybody."""
    return [*_row(mapping, "", bindings).roles]


def _first(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(first([cut(each, _MOST_OF_LISTED) for each in values], _LISTED))


def _role(grant: rbac.RoleGrant, names: Collection[str]) -> str:
    """Return a role. After "as" stands the name that a login must get to have it."""
    role, binding = grant.binding.role, grant.binding
    role += "" if grant.subject in names else f" as {word(grant.subject)}"
    return f"{_EVERYTHING} ({role})" if binding.everything and not binding.namespace else role


# The columns that are there even if they have no value.
_ALWAYS = ("NAME", "ARN", "USERNAME", "GROUPS", "SOURCE", "ROLES")


def table(listed: Sequence[Row], limit: int) -> tuple[str, int]:
    """Return the table, of at most ``limit`` bytes, and how many rows it lacks."""
    rows = [_cells(row) for row in listed]
    titles = [*rows[0]] if rows else _ALWAYS
    shown = [title for title in titles if title in _ALWAYS or any(row[title] for row in rows)]
    widths = {
        title: min(max(map(len, (title, *(row[title] for row in rows)))), _WIDTH)
        for title in shown
    }
    header = _line({title: title for title in shown}, widths)
    lines, left = fitting((_line(row, widths) for row in rows), limit - len(header))
    return "\n".join([header, *lines]), left


def _cells(row: Row) -> Mapping[str, str]:
    cells = {
        "NAME": row.name,
        "ARN": word(row.arn),
        "USERNAME": word(row.username),
        "GROUPS": ",".join(map(word, row.groups)),
        "SOURCE": f"{row.source} ({row.permission_set})" if row.permission_set else row.source,
        "EXPIRES": word(row.expires),
        "ROLES": ",".join(row.roles),
        "PROBLEM": row.problem,
    }
    return {title: cut(one_line(value), _MOST_OF_CELL) for title, value in cells.items()}


def jsons(listed: Sequence[Row], limit: int) -> tuple[str, int]:
    """Return a JSON list of mappings, of at most ``limit`` bytes, and how many it lacks."""
    rows = (json.dumps(dataclasses.asdict(row), separators=(",", ":")) for row in listed)
    shown, left = fitting(rows, limit - 1)
    return f"[{','.join(shown)}]", left


def _line(cells: Mapping[str, str], widths: Mapping[str, int]) -> str:
    # Juju shows a text in lines only if none of them ends with a space.
    padded = ((cells[title] or "-").ljust(width) for title, width in widths.items())
    return "  ".join(padded).rstrip()


def fitting(items: Iterable[str], limit: int) -> tuple[list[str], int]:
    """Return the first items that have at most ``limit`` bytes with one byte before each, and how
    many others there are."""
    items, size = [*items], 0
    for number, item in enumerate(items):
        size += len(item.encode()) + 1
        if size > limit:
            return items[:number], len(items) - number
    return items, 0
