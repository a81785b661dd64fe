# SPDX-License-Identifier: Apache-2.0

"""The names of the mappings that the option declares. Pure."""

from __future__ import annotations

import hashlib
import re

from access import arn
from access.permission_sets import PermissionSet
from text import quoted

_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_MAX_OBJECT_NAME = 253
# How much of a principal's name a mapping's name shows.
_MAX_SHOWN = 40


def is_object_name(text: str) -> bool:
    """Return whether a Kubernetes object may have this name: a DNS subdomain of RFC 1123."""
    return len(text) <= _MAX_OBJECT_NAME and bool(_OBJECT_NAME.fullmatch(text))


def checked(text: str) -> str:
    """Return the name that somebody gives a mapping.

    Raises:
        ValueError: no object may have it.
    """
    if text and not is_object_name(text):
        raise ValueError(
            f"name {quoted(text)} must have small letters, digits, '-' and '.' only, with a "
            "letter or digit at both ends"
        )
    return text


def default(permission_set: PermissionSet | None, principal: str) -> str:
    """Return a name that is always the same for a principal, and no other principal's."""
    if permission_set:
        key = visible = str(permission_set)
    else:
        key = principal
        visible = arn.parse(key).name.rpartition("/")[2] or "root"
    words = re.sub(r"[^a-z0-9]+", "-", visible.lower()).strip("-")[:_MAX_SHOWN].strip("-")
    return f"{words or 'x'}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"
