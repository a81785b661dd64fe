"""Who may log in: principals, mappings and the option `mappings`."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from random import Random

from tests.fuzz import mutate
from tests.fuzz.functions.held import line
from tests.fuzz.runner import Target, Violation

from access import arn, declared, mappings, plan
from errors import status_line

ARNS = (
    "arn:aws:iam::111122223333:role/k8s-view-role",
    "arn:aws:iam::111122223333:role/team/dev/admin",
    "arn:aws-us-gov:iam::111122223333:user/path/bob",
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:assumed-role/k8s-view-role/alice",
    "arn:aws-cn:sts::111122223333:federated-user/carol",
)


def make_arn(rng: Random) -> str:
    """Return an ARN with damage."""
    return mutate.text(rng, rng.choice(ARNS), ARNS)


def check_arn(text: str) -> None:
    """Check that an ARN is refused, or has one canonical form."""
    with contextlib.suppress(ValueError):
        line(status_line(arn.parse(text)))
    line(status_line(arn.mismatch(text) or ""))
    try:
        found = arn.canonicalize(text)
    except ValueError as error:
        return line(status_line(error))
    if (again := arn.canonicalize(found)) != found:
        raise Violation("a canonical ARN that is not its own", f"{found} {again}")
    return None


def make_mappings(rng: Random) -> list[tuple[str, str, str, str]]:
    """Return some mappings, of which several name the same principal."""
    pool = [mutate.text(rng, rng.choice(ARNS), ARNS) for _ in range(3)] + list(ARNS)
    return [
        (f"m{n}", rng.choice(pool), rng.choice(("", "dev")), rng.choice(["", *pool]).lower())
        for n in range(rng.randint(1, 5))
    ]


def check_mappings(sample: list[tuple[str, str, str, str]]) -> None:
    """Check that corrections correct, and leave nothing to correct."""
    found = [mappings.IdentityMapping(*each) for each in sample]
    report = mappings.check(found)
    corrected = [
        dataclasses.replace(m, canonical=report.corrections.get(m.name, m.canonical))
        for m in found
    ]
    if left := mappings.check(corrected).corrections:
        raise Violation("a correction that needs another", left)
    for problem in report.problems.values():
        line(status_line(problem))


LISTS = (
    """\
- arn: arn:aws:iam::111122223333:role/team/dev
  username: dev
  groups: [view]
  expires: 2026-12-31T18:00:00Z
- {permission-set: DevOps, account: '111122223333', suffix: 0123456789abcdef}
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
mapRoles: [&x {rolearn: 'arn:aws:iam::111122223333:root', name: top}]
mapUsers: [*x]
mapAccounts: ['111122223333']
""",
)
NOW = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)


def make_declared(rng: Random) -> str:
    """Return a list of mappings with damage."""
    return mutate.text(rng, rng.choice(LISTS), LISTS)


def check_declared(text: str) -> None:
    """Check that a list is refused in one line, or that its plan needs no other after it."""
    try:
        found = declared.parse(text, NOW)
    except ValueError as error:
        return line(status_line(error))
    for out in found.left_out:
        line(status_line(f"{out.place}: {out.reason}"))
    first = plan.of(found.entries, [])
    second = plan.of(found.entries, first.after)
    if second.update or second.create or second.delete:
        raise Violation("a plan that needs another", second)
    if corrections := mappings.check(first.after).corrections:
        raise Violation("a declared mapping that needs a correction", corrections)
    return None


TARGETS = (
    Target("arn.parse", make_arn, check_arn),
    Target("mappings.check", make_mappings, check_mappings),
    Target("declared.parse", make_declared, check_declared),
)
