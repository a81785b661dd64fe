# SPDX-License-Identifier: Apache-2.0

"""Published vulnerabilities of aws-iam-authenticator, by its version and by Go's. Pure.

A new one is a new row of `KNOWN`. `make watch` says which the default image has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Version = tuple[int, int, int]
# What is older lets people log in as somebody else, so the charm deploys none of it.
OLDEST: Version = (0, 5, 9)
_VERSION = re.compile(r"(?:v|go)?(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Vulnerability:
    """A published vulnerability."""

    name: str  # Its CVE.
    what: str  # What it lets whom do.
    fixed: Version  # The first version of aws-iam-authenticator without it.
    source: str  # Where it is published.
    # The first release without it of each series of Go that has one. Newer series never had it,
    # and older ones have it for good. Empty where Go has no part in it.
    fixed_in_go: tuple[Version, ...] = ()

    def is_in(self, version: Version | None, go: Version | None = None) -> bool:
        """Return whether a binary has this, by its ``version`` and by the ``go`` that built it.

        Where Go has the fault, its version decides: a rebuilt image keeps the tag's version.
        """
        if go and self.fixed_in_go:
            return any(go < each for each in self.fixed_in_go if each[:2] == go[:2]) or (
                go < min(self.fixed_in_go)
            )
        return version is not None and version < self.fixed


KNOWN = (
    Vulnerability(
        "CVE-2022-2385",
        "lets a mapped person log in with a username of that person's choice",
        (0, 5, 9),
        "https://github.com/kubernetes-sigs/aws-iam-authenticator/issues/472",
    ),
    Vulnerability(
        "CVE-2026-97032",
        "lets a client without credentials end a pod",
        (0, 7, 21),
        "https://pkg.go.dev/vuln/GO-2026-6617",
        ((1, 26, 9), (1, 27, 2)),
    ),
)


def parse(text: str) -> Version | None:
    """Return the version at the beginning of ``text``, such as ``v0.7.18-eks-1-36-9`` or
    ``go1.26.9``; None if there is none."""
    found = _VERSION.match(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def shown(version: Version) -> str:
    """Return a version of aws-iam-authenticator as its tags have it."""
    return "v" + ".".join(map(str, version))


def of(version: str, go: str = "") -> Sequence[Vulnerability]:
    """Return what an authenticator of this ``version`` has. ``go`` built it, if that is known.

    Of a version that cannot be read, such as ``nightly``, nothing is known.
    """
    own, built_by = parse(version), parse(go)
    return [each for each in KNOWN if each.is_in(own, built_by)]
