"""AWS keys of the testbed's users, as a person has them in the environment."""

from __future__ import annotations

from functools import cache

import yaml

from testbed.aws.accounts import ACCOUNTS_FILE


def environment(user: str, secret: str | None = None) -> dict[str, str]:
    """The variables of ``user``, with another ``secret`` than theirs if one is given.

    Raises:
        KeyError: the accounts file has no such user.
    """
    found = _users()[user]
    return {
        "AWS_ACCESS_KEY_ID": found["access-key"],
        "AWS_SECRET_ACCESS_KEY": secret or found["secret-key"],
    }


@cache
def _users() -> dict[str, dict[str, str]]:
    accounts = yaml.safe_load(ACCOUNTS_FILE.read_text())
    return {user["name"]: user for account in accounts.values() for user in account["users"]}
