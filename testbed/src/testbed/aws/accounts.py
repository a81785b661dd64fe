"""The users and roles of the STS, from a file, and the temporary keys that it gave out."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import string
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.aws.regions import DEFAULT_PARTITION

ACCOUNTS_FILE = Path(__file__).parent / "accounts.yaml"

# How long a session token of AWS may be, and how long one is by default.
_LEAST_TOKEN_BYTES, _TOKEN_BYTES, _MOST_TOKEN_BYTES = 400, 800, 4096
_KEY_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Principal:
    """The owner of a key, which is good in its partition alone.

    `user_id` is what GetCallerIdentity calls UserId.
    """

    account: str
    arn: str
    user_id: str
    is_role: bool = False
    role_arn: str = ""

    @property
    def partition(self) -> str:
        """Return the partition of the account."""
        return self.arn.split(":")[1]


@dataclass(frozen=True)
class Credentials:
    """An access key. A temporary one has a token and an expiry.

    STS answers a throttled one that it gets too many requests.
    """

    access_key: str
    secret_key: str
    principal: Principal
    token: str = ""
    expires: dt.datetime | None = None
    throttled: bool = False


@dataclass(frozen=True)
class Role:
    """A role, and the accounts and ARNs that may assume it.

    Its sessions' tokens have `token_bytes`. Those of AWS grow with a session's policies and tags.
    """

    account: str
    name: str
    arn: str
    id: str
    trusts: frozenset[str]
    token_bytes: int = _TOKEN_BYTES

    def __post_init__(self) -> None:
        if not _LEAST_TOKEN_BYTES <= self.token_bytes <= _MOST_TOKEN_BYTES:
            raise ValueError(f"role {self.name}: STS issues no tokens of {self.token_bytes} bytes")

    @property
    def partition(self) -> str:
        """Return the partition of the account."""
        return self.arn.split(":")[1]

    def trusts_principal(self, principal: Principal) -> bool:
        """Return whether a principal may assume this role."""
        return bool({principal.account, principal.arn, principal.role_arn} & self.trusts)


class Accounts:
    """All credentials and roles. Safe to use from several threads."""

    def __init__(self, credentials: list[Credentials], roles: list[Role]) -> None:
        self._credentials = {item.access_key: item for item in credentials}
        self._roles = {role.arn: role for role in roles}
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path = ACCOUNTS_FILE) -> Accounts:
        """Read an accounts file. Raises KeyError where an entry lacks a field."""
        content: Mapping[str, Any] = yaml.safe_load(path.read_text())
        users = [
            _user(user, f"arn:{_partition(entry)}:iam::{account}:user", account)
            for account, entry in content.items()
            for user in entry.get("users", [])
        ]
        roles = [
            _role(role, f"arn:{_partition(entry)}:iam::{account}:role", account)
            for account, entry in content.items()
            for role in entry.get("roles", [])
        ]
        return cls(users, roles)

    def credentials(self, access_key: str) -> Credentials | None:
        """Return the credentials of an access key, None for an unknown one."""
        with self._lock:
            return self._credentials.get(access_key)

    def role(self, arn: str) -> Role | None:
        """Return the role of an ARN, which includes the role's path; None for an unknown one."""
        return self._roles.get(arn)

    def assume(self, role: Role, session: str, expires: dt.datetime) -> Credentials:
        """Return new temporary credentials of a role, and know them from now on."""
        principal = Principal(
            account=role.account,
            arn=f"arn:{role.partition}:sts::{role.account}:assumed-role/{role.name}/{session}",
            user_id=f"{role.id}:{session}",
            is_role=True,
            role_arn=role.arn,
        )
        given = Credentials(
            access_key="ASIA" + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16)),
            secret_key=secrets.token_urlsafe(30),
            principal=principal,
            token=_session_token(role.token_bytes),
            expires=expires,
        )
        with self._lock:
            self._credentials[given.access_key] = given
        return given


def shared_credentials(path: Path = ACCOUNTS_FILE) -> str:
    """Return the users' keys as an AWS credentials file, with a profile for each user."""
    content: Mapping[str, Any] = yaml.safe_load(path.read_text())
    users = [user for entry in content.values() for user in entry.get("users", [])]
    return "\n".join(
        f"[{user['name']}]\n"
        f"aws_access_key_id = {user['access-key']}\n"
        f"aws_secret_access_key = {user['secret-key']}\n"
        for user in users
    )


def _partition(entry: Mapping[str, Any]) -> str:
    return entry.get("partition", DEFAULT_PARTITION)


def _user(entry: Mapping[str, Any], prefix: str, account: str) -> Credentials:
    arn = f"{prefix}{entry.get('path', '/')}{entry['name']}"
    principal = Principal(account, arn, entry["id"])
    throttled = entry.get("throttled", False)
    return Credentials(entry["access-key"], entry["secret-key"], principal, throttled=throttled)


def _role(entry: Mapping[str, Any], prefix: str, account: str) -> Role:
    arn = f"{prefix}{entry.get('path', '/')}{entry['name']}"
    size = entry.get("token-bytes", _TOKEN_BYTES)
    return Role(account, entry["name"], arn, entry["id"], frozenset(entry["trusts"]), size)


def _session_token(size: int) -> str:
    """Return a token in base64, as AWS' are: a URL needs three characters for `+` and `/`."""
    return base64.b64encode(secrets.token_bytes(size)).decode()[:size]
