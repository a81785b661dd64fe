# SPDX-License-Identifier: Apache-2.0

"""What `explain-access` says: the chain from an ARN to what RBAC allows, a line a link. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import times
from access import arn, rbac, subjects
from access.arn import Principal
from access.declaration.declared import Declared
from access.declaration.entry import set_key
from access.mapping import Identity, IdentityMapping
from access.permission_sets import of_role
from owner import OPTION
from text import command, cut, look_again, word

# How many bindings are shown; a user may have thousands.
_BINDINGS = 50
_BIND = ("kubectl", "create", "clusterrolebinding", "NAME", "--clusterrole=view")
# How long the roles of everybody may be: the editor of a namespace can bind any number.
_ROLES_CHARACTERS = 1_000


@dataclasses.dataclass(frozen=True)
class Way:
    """A mapping that lets the principal in, and what that gives."""

    mapping: IdentityMapping
    problem: str  # What is wrong with the mapping, and the remedy; or empty.
    identity: Identity
    grants: Sequence[rbac.RoleGrant]
    refused: str = ""  # Why the authenticator lets nobody in by it; or empty.
    end: datetime | None = None  # When its access ends.


def begin(given: Principal, looked_up: Principal) -> Iterator[str]:
    """Yield how the authenticator reads the ARN."""
    if given.kind == "role" and "/" in given.name:
        yield f"{given} logs in without its path, because no login has a role path"
    yield f"logins are looked up as {looked_up}"


def ways(
    found: Sequence[Way],
    everybody: Iterable[rbac.RoleGrant],
    warning: str,
    now: datetime,
) -> Iterator[str]:
    """Yield what each mapping gives, what everybody has, the ``warning`` if there is one, and how
    to ask the API server what each may do."""
    if len(found) > 1:
        yield (
            f"{len(found)} mappings name it, and the authenticator uses any of them: "
            "delete all but one"
        )
    for way in found:
        yield from _way(way, now)
    yield f"everybody who logs in has {cut(roles(everybody) or 'no role', _ROLES_CHARACTERS)}"
    yield from warning.splitlines()
    for who in (way.identity for way in found if not way.refused):
        # The API server answers for a known user only.
        if not who.is_open:
            whom = (f"--as={who.username}", *(f"--as-group={group}" for group in who.groups))
            asked = command("kubectl", "auth", "can-i", "--list", *whom)
            yield f"to ask Kubernetes what it may do, run: {asked}"


def _way(way: Way, now: datetime) -> Iterator[str]:
    mapping, who = way.mapping, way.identity
    if way.refused:
        yield f"mapping {mapping.name} names it, and the login is refused: {way.refused}"
        return
    groups = f"groups {', '.join(map(word, who.groups))}" if who.groups else "no groups"
    made = f"made by {word(mapping.source)}" if mapping.source else "made with kubectl"
    yield f"mapping {mapping.name}, {made}, lets it in as user {word(who.username)}, {groups}"
    if way.end:
        over = way.end <= now
        then = ": the leader's next hook deletes it" if over else ""
        yield (
            f"mapping {mapping.name} {'ended' if over else 'ends'} at {times.shown(way.end)}{then}"
        )
    if way.problem:
        yield f"mapping {mapping.name}: {way.problem}"
    if who.is_open:
        yield (
            "{{…}} is filled in at login; to see it, pass a session's ARN: "
            "arn:aws:sts::<account>:assumed-role/<role>/<session>"
        )
    yield from _bound(who, way.grants)


def _bound(who: Identity, grants: Sequence[rbac.RoleGrant]) -> Iterator[str]:
    is_superuser = rbac.MASTERS in who.groups
    if is_superuser:
        yield f"group {rbac.MASTERS} may do everything, whatever the roles say"
    for grant in grants[:_BINDINGS]:
        binding = grant.binding
        yield f"{binding} gives {binding.role} to {grant.kind} {word(grant.subject)}"
    if len(grants) > _BINDINGS:
        yield f"{len(grants) - _BINDINGS} more bindings give it roles"
    if not grants and not is_superuser:
        yield from no_role(who.username, who.groups)


def no_role(username: str, groups: Iterable[str] = ()) -> tuple[str, str]:
    """Return two lines. One says that a user has no role, the other is a command to bind one.

    A template is not a user, so a role is bound to one of the groups then.
    """
    whom = [f"--group={group}" for group in groups if not subjects.is_open(group)]
    if not subjects.is_open(username):
        whom = [f"--user={username}"]
    if not whom:
        return (
            "no binding names its groups, and none can name a template such as its username",
            "give the mapping a group, and bind a role to that",
        )
    return (
        "no binding names this user or its groups",
        f"run: {command(*_BIND, whom[0])}",
    )


def roles(grants: Iterable[rbac.RoleGrant]) -> str:
    """Return the roles of the grants, each once."""
    return ", ".join(dict.fromkeys(grant.binding.role for grant in grants))


def near_misses(looked_up: Principal, found: Iterable[IdentityMapping]) -> Iterator[str]:
    """Yield which mappings somebody may have meant, and why each does not let the principal in."""
    for mapping in sorted(found, key=lambda mapping: mapping.name):
        if reason := _miss(looked_up, mapping):
            yield f"near miss: mapping {mapping.name} ({word(mapping.arn)}): {reason}"


def _miss(wanted: Principal, mapping: IdentityMapping) -> str:
    """Return why the mapping does not match; empty if it is about somebody else."""
    last = wanted.name.rpartition("/")[2]
    try:
        meant = arn.parse(arn.canonicalize(mapping.arn))
    except ValueError as error:
        return str(error) if mapping.arn.lower().rpartition("/")[2] == last else ""
    if meant == wanted:
        return "its status does not say so yet, the leader's next hook corrects that"
    parts = ("partition", "account", "kind", "name")
    differing = [part for part in parts if getattr(meant, part) != getattr(wanted, part)]
    if len(differing) != 1:
        return ""
    if differing != ["name"]:
        return f"the {differing[0]} differs"
    if meant.name.rpartition("/")[2] == last:
        return arn.mismatch(mapping.arn) or "the path differs, and the login of a user has it"
    permission_set, former = (of_role(str(each)) for each in (wanted, meant))
    if permission_set and former and set_key(permission_set) == set_key(former):
        return "the permission set was provisioned again, so its role has another suffix"
    return ""


def remedy(
    given: Principal,
    declared: Declared,
    found: Iterable[IdentityMapping],
    now: datetime,
    application: str,
) -> str:
    """Return how to let the principal in. ``declared`` is what the option `mappings` declares;
    ``found`` are all mappings."""
    role = _mapped(given)
    entry = declared.of(arn.looked_up(str(role)))
    if not entry:
        return f"to let it in: {admit(application, role)}"
    declares = f"{entry.place} of the option declares it"
    if declared.faults:
        return f"{declares}, and nothing of the option is applied: {declared.problem}"
    if entry.has_ended(now):
        return f"{declares} until {entry.expires}, which is over"
    if not entry.learns:
        return f"{declares}: juju status says what keeps it out"
    its_set = f"permission set {entry.permission_set} ({entry.place})"
    wanted, begin = set_key(entry.permission_set), f"arn:{declared.partition}:"
    own = (each.arn for each in found if each.source == OPTION)
    of_set = (each for each in own if set_key(of_role(each)) == wanted)
    if mapped := next((each for each in of_set if each.startswith(begin)), ""):
        return (
            f"{its_set} has role {word(mapped)}: if it was provisioned again, set suffix: "
            f"{str(role).rpartition('_')[2]} in {entry.place}"
        )
    return (
        f"{its_set} will let it in: its first login is refused, and the leader's next hook maps "
        f"the role; to map it then, run: {look_again(f'{application}/leader')}"
    )


def _mapped(given: Principal) -> Principal:
    """Return the principal that a mapping names, spelt as ``given`` is: a role has neither path
    nor session."""
    if given.kind not in ("role", "assumed-role"):
        return given
    names = given.name.split("/")
    name = names[-1] if given.kind == "role" else names[-2]
    return dataclasses.replace(given, service="iam", kind="role", name=name)


def admit(application: str, principal: Principal) -> str:
    """Return the command that would let the principal in, once somebody has said as whom.

    A stranger who chose the name of a role or a user would choose that of a Kubernetes user too.
    """
    given = (f"arn={principal}", "username=USERNAME", "groups=GROUPS")
    return command("juju", "run", f"{application}/leader", "grant-access", *given)
