"""Who may log in: principals, mappings and the option `mappings`."""

from __future__ import annotations

import datetime
import json
from random import Random

from tests.fakes.explaining import STS, log_line
from tests.fuzz import mutate
from tests.fuzz.functions.invariants import line
from tests.fuzz.runner import Target, Violation

from access import desired, rbac, refusals, subjects, validity
from access.declaration import declared
from access.desired import Access, State
from access.mapping import IdentityMapping
from text import status_line

ARNS = (
    "arn:aws:iam::111122223333:role/k8s-view-role",
    "arn:aws:iam::111122223333:role/team/dev/admin",
    "arn:aws-us-gov:iam::111122223333:user/path/bob",
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:assumed-role/k8s-view-role/alice",
    "arn:aws-cn:sts::111122223333:federated-user/carol",
)


def make_mappings(rng: Random) -> list[tuple[str, str, str, str]]:
    """Return some mappings, of which several name the same principal."""
    pool = [mutate.text(rng, rng.choice(ARNS), ARNS) for _ in range(3)] + list(ARNS)
    return [
        (f"m{n}", rng.choice(pool), rng.choice(("", "dev")), rng.choice(["", *pool]).lower())
        for n in range(rng.randint(1, 5))
    ]


def check_mappings(sample: list[tuple[str, str, str, str]]) -> None:
    """Check that what is wrong with each is one line."""
    for problem in validity.check([IdentityMapping(*each) for each in sample]).problems.values():
        line(status_line(problem))


LISTS = (
    """\
- arn: arn:aws:iam::111122223333:role/team/dev
  username: dev
  groups: [view]
  expires: 2026-12-31T18:00:00Z
- {permission-set: DevOps, account: '111122223333', suffix: 0123456789abcdef}
- {role: ops, accounts: ['111122223333', '444455556666'], name: ops}
""",
    """\
kind: ConfigMap
data:
  mapRoles: |
    - rolearn: arn:aws:iam::111122223333:role/node
      groups: [system:nodes]
  mapUsers: |
    - userarn: arn:aws:iam::111122223333:user/bob
""",
    """\
- arn: arn:aws:iam::111122223333:role/Dev
  access:
  - {role: edit, namespaces: [dev, test]}
  - {role: reader, kind: Role, namespaces: [dev]}
  - policy: arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy
- principalArn: arn:aws:iam::111122223333:user/bob
  accessPolicies:
  - policyARN: arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy
    accessScope: {type: namespace, namespaces: [dev]}
""",
    """\
mapRoles: [&x {rolearn: 'arn:aws:iam::111122223333:root', name: top}]
mapUsers: [*x]
mapAccounts: ['111122223333']
""",
)
NOW = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)


def make_declared(rng: Random) -> str:
    return mutate.text(rng, rng.choice(LISTS), LISTS)


def check_declared(text: str) -> None:
    """Check that a list is refused in one line, or that its plan needs no other after it."""
    try:
        found = declared.parse(text, NOW)
    except ValueError as error:
        return line(status_line(error))
    for out in found.left_out:
        line(status_line(f"{out.place}: {out.reason}"))
    first = desired.access(found, State(Access()), NOW).access
    second = desired.access(found, State(first), NOW).access
    if (left := desired.changes(first, second)) != desired.Changes():
        raise Violation("a plan that needs another", left)
    return None


_ERROR = f"{STS}error during GET: lookup sts.x: no such host"
LOGGED_AT = "2026-11-26T00:00:00Z"
_LOGGED: dict[str, str] = json.loads(log_line(ARNS[0], _ERROR, time=LOGGED_AT))


def make_log(rng: Random) -> list[str]:
    """Return lines of the authenticator's log, with words of strangers in them."""
    sent = mutate.text(rng, "sts.us-east-1.amazonaws.com", ARNS)
    sent = rng.choice((sent, sent[:300] * 200))
    key = rng.choice(("arn", "client", "error", "session", "time"))
    line_ = json.dumps({**_LOGGED, key: f"{_LOGGED.get(key, '')}{sent}"})
    return [line_, mutate.text(rng, line_, ARNS)]


def check_log(lines: list[str]) -> None:
    """Check that what is said of a refusal is short."""
    for found in refusals.parse(lines, NOW - datetime.timedelta(hours=1), NOW):
        line(status_line(found.text))


def make_username(rng: Random) -> tuple[str, str]:
    """Return a username with fields, and a name that a login may make of it."""
    parts = [rng.choice(("", "a", "aa", "dev:")) for _ in range(rng.randint(1, 12))]
    fields = rng.choice(("{{SessionName}}", "{{AccountID}}"))
    name = "".join(part + "a" * rng.randint(0, 8) for part in parts)
    return fields.join(parts), mutate.text(rng, name, ARNS)


def check_username(sample: tuple[str, str]) -> None:
    """Check that the roles of a name are those of a username that can become it."""
    text, name = sample
    bound = rbac.Bindings([rbac.Binding("b", "", "ClusterRole", "view", users=(name,))])
    if bool(bound.of(text, ())) != subjects.can_become(text, name):
        raise Violation("a role that is not found", sample)


TARGETS = (
    Target("refusals.parse", make_log, check_log),
    Target("rbac.Bindings.of", make_username, check_username),
    Target("validity.check", make_mappings, check_mappings),
    Target("declared.parse", make_declared, check_declared),
)
