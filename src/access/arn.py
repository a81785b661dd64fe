"""IAM principals: parsing their ARN, and the form in which logins are looked up. Pure.

Sources: the ARN format of the AWS General Reference, and the canonical form of
aws-iam-authenticator (``pkg/arn`` of v0.7.18), by which it looks up every login.
"""

from __future__ import annotations

import dataclasses
import re

PARTITIONS = (
    "aws",
    "aws-cn",
    "aws-us-gov",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-eusc",
)

_ACCOUNT = re.compile(r"[0-9]{12}")
# IAM names: up to 64 characters of [\w+=,.@-]; a path is any number of segments before it.
_RESOURCE = re.compile(r"[\w+=,.@/-]+", re.ASCII)
# The kinds of principal that a mapping can name, by the ARN's service.
_KINDS = {"iam": ("user", "role", "root"), "sts": ("assumed-role", "federated-user")}


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

    @property
    def canonical(self) -> str:
        """Return the ARN, in lower case, by which the authenticator looks this principal up.

        A session of an assumed role becomes its role. A role keeps its path, although no login
        has one: see `login_role`.
        """
        return str(self._role or self).lower()

    @property
    def login_role(self) -> Principal | None:
        """Return the role that logins have, for a role with a path; else None."""
        role = self._role
        if not role or "/" not in role.name:
            return None
        return dataclasses.replace(role, name=role.name.rpartition("/")[2])

    @property
    def _role(self) -> Principal | None:
        if self.kind == "role":
            return self
        if self.kind != "assumed-role":
            return None
        name, _, _ = self.name.rpartition("/")
        return dataclasses.replace(self, service="iam", kind="role", name=name)


def parse(text: str) -> Principal:
    """Return the principal that ``text`` names.

    Raises:
        ValueError: ``text`` is not the ARN of an IAM principal; the error names the wrong part.
    """
    parts = text.split(":")
    if len(parts) != 6 or parts[0] != "arn":
        raise ValueError(f"{text!r} is not an ARN such as arn:aws:iam::111122223333:role/admin")
    _, partition, service, region, account, resource = parts
    if partition not in PARTITIONS:
        raise ValueError(f"{text!r} has no known partition ({', '.join(PARTITIONS)})")
    if service not in _KINDS or region:
        raise ValueError(
            f"{text!r} must start with arn:{partition}:iam:: or arn:{partition}:sts::"
        )
    if not _ACCOUNT.fullmatch(account):
        raise ValueError(f"{text!r} has no account of 12 digits")
    kind, _, name = resource.partition("/")
    if kind not in _KINDS[service]:
        raise ValueError(f"{text!r} must name one of: {', '.join(_KINDS[service])}")
    if (kind == "root") is bool(name) or (name and not _is_name(name)):
        raise ValueError(f"{text!r} has no valid {kind} name")
    if kind == "assumed-role" and name.count("/") < 1:
        raise ValueError(f"{text!r} has no session after the role: assumed-role/<role>/<session>")
    return Principal(partition, service, account, kind, name)


def _is_name(name: str) -> bool:
    return bool(_RESOURCE.fullmatch(name)) and not name.startswith("/") and not name.endswith("/")
