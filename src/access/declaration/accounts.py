# SPDX-License-Identifier: Apache-2.0

"""A role or a permission set in several accounts: an entry of the option for each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from access.declaration.entry import ARNS
from access.declaration.yaml_text import Value
from text import quoted

_ACCOUNT = re.compile(r"[0-9]{12}")


def expand(
    place: str, keys: dict[str, Value], partition: str
) -> Iterator[tuple[str, dict[str, Value], str]]:
    """Yield the place and the keys of an entry for each account, with an ARN for a role, and what
    is wrong with the account.

    An entry with neither a role's name nor a list of accounts stays as it is. A name gets the
    account behind it if there is a list, even of one, so that a mapping keeps its name when the
    list grows.
    """
    if "role" not in keys and "accounts" not in keys:
        yield place, keys, ""
        return
    if problem := _misfit(keys):
        yield place, keys, problem
        return
    for where, account in _accounts(place, keys):
        if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
            shown = quoted(account) if isinstance(account, str) else "it"
            yield where, keys, f"{shown} is not an account of 12 digits"
        else:
            yield where, _in_account(keys, account, partition), ""


def _in_account(keys: dict[str, Value], account: str, partition: str) -> dict[str, Value]:
    own = {key: value for key, value in keys.items() if key not in ("role", "accounts", "account")}
    if isinstance(role := keys.get("role"), str):
        own["arn"] = f"arn:{partition}:iam::{account}:role/{role}"
    else:
        own["account"] = account
    if "accounts" in keys and isinstance(name := keys.get("name"), str) and name:
        own["name"] = f"{name}-{account}"
    return own


def _accounts(place: str, keys: dict[str, Value]) -> Iterator[tuple[str, Value]]:
    listed = keys.get("accounts")
    if isinstance(listed, list):
        yield from ((f"{place}.accounts[{number}]", each) for number, each in enumerate(listed))
    else:
        yield place, keys.get("account")


def _misfit(keys: dict[str, Value]) -> str:
    """Return why the keys about roles and accounts do not go together; empty if they do."""
    if "role" in keys:
        if problem := _misfit_of_role(keys):
            return problem
    elif "permission-set" not in keys:
        return "accounts goes with role or permission-set"
    if "accounts" not in keys:
        return ""
    if "account" in keys:
        return "it has account and accounts, keep one of them"
    if "suffix" in keys:
        return "suffix goes with account, each account has its own"
    return "" if isinstance(keys["accounts"], list) else "accounts is not a list"


def _misfit_of_role(keys: dict[str, Value]) -> str:
    if not keys.keys().isdisjoint(ARNS):
        return "it has an arn and a role, keep one of them"
    if "permission-set" in keys:
        return "it has a role and a permission-set, keep one of them"
    if "suffix" in keys:
        return "suffix goes with permission-set"
    if "account" not in keys and "accounts" not in keys:
        return "role needs account or accounts"
    if not isinstance(role := keys["role"], str):
        return "role is not a text"
    if ":" in role:
        return "role is an ARN, write arn in place of role"
    if "/" in role:
        return f"role {quoted(role)} has a path, write {quoted(role.rpartition('/')[2])}"
    return ""
