"""The tokens that the control plane gives out itself, and its forwarder knows. Pure."""

from __future__ import annotations

import hmac

KNOWN_TOKENS = "/root/cdk/known_tokens.csv"

_LENGTH = 32


def admin(key: str) -> str:
    """Return the administrator's token: the same wherever the cluster's authority has this key."""
    return f"admin::{hmac.new(key.encode(), b'admin', 'sha256').hexdigest()[:_LENGTH]}"


def known(token: str) -> str:
    """Return the file of known tokens: token, user name, user id and groups, one user a line.

    It is empty without a token.
    """
    return f"{token},admin,admin,system:masters\n" if token else ""
