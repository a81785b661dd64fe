"""What makes an IAMIdentityMapping work, or never work."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

from access import arn


@dataclasses.dataclass(frozen=True)
class Mapping:
    """An IAMIdentityMapping as the cluster holds it; ``canonical`` is its
    ``status.canonicalARN``, the key that logins are looked up by, or empty."""

    name: str
    arn: str
    canonical: str


@dataclasses.dataclass(frozen=True)
class Survey:
    """All mappings at once: how many there are, which can never work and why, and which
    ``status.canonicalARN`` has to be written (mapping name → value)."""

    total: int
    problems: dict[str, str]
    corrections: dict[str, str]


def survey(found: Iterable[Mapping]) -> Survey:
    """Look at every mapping, and at what only shows among all of them.

    A mapping whose ARN names no principal loses its canonical ARN: the authenticator
    leaves the former one in place, and the former principal would keep the mapping's
    username and groups.
    """
    mappings = sorted(found, key=lambda mapping: mapping.name)
    expected = {mapping.name: _canonical(mapping.arn) for mapping in mappings}
    shared = {key for key, count in Counter(expected.values()).items() if count > 1}
    problems = {
        mapping.name: problem
        for mapping in mappings
        if (problem := _problem(mapping.arn, expected[mapping.name] in shared))
    }
    corrections = {
        mapping.name: expected[mapping.name]
        for mapping in mappings
        if mapping.canonical != expected[mapping.name]
    }
    return Survey(total=len(mappings), problems=problems, corrections=corrections)


def _canonical(text: str) -> str:
    try:
        return arn.parse(text).canonical
    except ValueError:
        return ""


def _problem(text: str, shared: bool) -> str | None:
    try:
        principal = arn.parse(text)
    except ValueError as error:
        return str(error)
    if role := principal.login_role:
        return f"no login has a role path, map {role} instead"
    if shared:
        return "another mapping has the same ARN, and which of them wins is left to chance"
    return None
