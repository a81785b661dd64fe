# SPDX-License-Identifier: Apache-2.0

"""IAM principals: their ARNs, and the form in which the authenticator looks them up. Pure.

Sources: the ARN format of the AWS General Reference, the IAM API's rules for names and paths, and
aws-iam-authenticator v0.7.18 (``pkg/arn``, ``pkg/mapper/crd``).
"""

from __future__ import annotations

import dataclasses
import re

from access import partitions
from access.partitions import PARTITIONS
from statuses import mapping as texts
from text import quoted

_ACCOUNT = re.compile(r"[0-9]{12}")
_NAME = r"[\w+=,.@-]+"
# An IAM path holds any visible ASCII character, also a colon, and DEL.
_WITH_PATH = re.compile(rf"([!-\x7f]+/)?{_NAME}", re.ASCII)
# The kinds of principal that a mapping can name, by the ARN's service, and how their names look.
_KINDS = {
    "iam": {"user": _WITH_PATH, "role": _WITH_PATH, "root": re.compile("")},
    "sts": {
        "assumed-role": re.compile(rf"{_NAME}(/{_NAME})+", re.ASCII),
        "federated-user": re.compile(_NAME, re.ASCII),
    },
}


@dataclasses.dataclass(frozen=True)
class Principal:
    """An IAM principal.

    ``kind`` is one of ``user``, ``role``, ``root``, ``assumed-role`` and ``federated-user``;
    ``name`` is the path and the name (``team/dev``); for an assumed role the role and the
    session (``k8s-view-role/alice``); for ``root`` it is empty.
    """

    partition: str
    service: str
    account: str
    kind: str
    name: str

    def __str__(self) -> str:
        resource = f"{self.kind}/{self.name}" if self.name else self.kind
        return f"arn:{self.partition}:{self.service}::{self.account}:{resource}"


def parse(text: str) -> Principal:
    """Return the principal that ``text`` names.

    Raises:
        ValueError: ``text`` is not the ARN of an IAM principal; the error names the wrong part.
    """
    partition, service, region, account, resource = _sections(text)
    if region:
        raise ValueError(texts.SERVICE_UNKNOWN(arn=text, partition=partition))
    if not _ACCOUNT.fullmatch(account):
        raise ValueError(texts.NO_ACCOUNT(arn=text))
    kind, slash, name = resource.partition("/")
    if (slash and kind == "root") or not _KINDS[service][kind].fullmatch(name):
        raise ValueError(texts.NAME_INVALID(arn=text, kind=kind))
    return Principal(partition, service, account, kind, name)


def canonicalize(text: str) -> str:
    """Return what the authenticator writes as ``status.canonicalARN`` of a mapping of ``text``.
    Raise ValueError if the authenticator refuses ``text``, and leaves the status as it is."""
    lowered = _lower(text)
    partition, _, _, account, resource = _sections(lowered)
    kind, *names = resource.split("/")
    if kind != "assumed-role":
        return lowered
    return f"arn:{partition}:iam::{account}:role/{'/'.join(names[:-1])}"


def canonical_or_empty(text: str) -> str:
    """Return what `canonicalize` does; empty if the authenticator refuses ``text``."""
    try:
        return canonicalize(text)
    except ValueError:
        return ""


def login(text: str) -> Principal:
    """Return the principal that the authenticator looks up when that of ARN ``text`` logs in: in
    lower case, and a role without path and session. Raise ValueError if ``text`` names none."""
    found = parse(canonicalize(text))
    if found.kind != "role":
        return found
    return dataclasses.replace(found, name=found.name.rpartition("/")[2])


def looked_up(text: str) -> str:
    """Return the principal of `login` as an ARN; empty if ``text`` names none."""
    try:
        return str(login(text))
    except ValueError:
        return ""


def mismatch(text: str, canonical: str = "") -> str | None:
    """Return why no login matches a mapping of ``text``, or None if logins do.

    STS gives each login its ARN: without a region, and for a role without the role's path.
    ``canonical`` is what `canonicalize` returns for ``text``, where that is known.
    """
    try:
        principal = parse(canonical or canonicalize(text))
    except ValueError as error:
        return str(error)
    if principal.kind == "role" and "/" in principal.name:
        return texts.ROLE_PATH(arn=without_path(text))
    return None


def without_path(text: str) -> str:
    """Return the ARN of a role without the role's path, and every other text as it is.

    What stays is spelt as it is.
    """
    try:
        canonical = canonicalize(text)
        principal = parse(canonical)
    except ValueError:
        return text
    if principal.kind != "role" or "/" not in principal.name:
        return text
    # A mapping of a session is for its role.
    names = (text if canonical == _lower(text) else canonical).split("/")
    return f"{names[0]}/{names[-1]}"


def given(text: str, partition: str) -> tuple[str, str, str]:
    """Return an ARN that a person gives to have it mapped: as logins have it, its canonical form,
    and the path of a role, which they lack.

    Raises:
        ValueError: no login at the authenticator of ``partition`` has the ARN, or it names one
            session, and all sessions of its role would be mapped.
    """
    canonical = canonicalize(text)
    principal = parse(canonical)
    if wrong := partitions.mismatch(principal.partition, partition):
        raise ValueError(wrong)
    if is_session(text, canonical):
        raise ValueError(
            f"{quoted(text)} names one session: give the ARN of its role, {canonical}"
        )
    spelt = without_path(text)
    path = f"/{principal.name.rpartition('/')[0]}/" if spelt != text else ""
    return spelt, canonicalize(spelt), path


def is_session(text: str, canonical: str) -> bool:
    """Return whether an ARN with this canonical form names a session.

    The authenticator looks up its role, so a mapping of it admits all sessions of that.
    """
    return canonical != _lower(text)


def _sections(text: str) -> tuple[str, str, str, str, str]:
    """Return the partition, service, region, account and resource of an ARN that the authenticator
    accepts. Raise ValueError for another."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise ValueError(texts.NOT_AN_ARN(arn=text))
    _, partition, service, region, account, resource = parts
    if partition not in PARTITIONS:
        known = ", ".join(PARTITIONS)
        raise ValueError(texts.PARTITION_UNKNOWN(arn=text, partitions=known))
    if service not in _KINDS:
        raise ValueError(texts.SERVICE_UNKNOWN(arn=text, partition=partition))
    kind, *names = resource.split("/")
    if kind not in _KINDS[service]:
        kinds = ", ".join(_KINDS[service])
        raise ValueError(texts.KIND_UNKNOWN(arn=text, kinds=kinds))
    if kind == "assumed-role" and len(names) < 2:
        raise ValueError(texts.NO_SESSION(arn=text))
    return partition, service, region, account, resource


def _lower(text: str) -> str:
    """Return ``text`` in lower case as Go's ``strings.ToLower`` does, one character for each."""
    return text.lower() if text.isascii() else "".join(c.lower()[0] for c in text)
